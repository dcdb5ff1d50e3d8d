import type { ErrorCode } from '@studymate/contracts/errors';
import { z } from 'zod';
import type { Answer, Operation, Operations } from './operation.ts';

const version = { 'Tus-Resumable': 'The version of the protocol: `1.0.0`.' };
const metadata = 'Pairs of a key and a value in base64, for example `filename`, `filetype`; at most 4096 bytes.';
const expires = { 'Upload-Expires': 'When it is removed unless more comes.' };
const bytes = z.string().describe('Bytes of the recording.');
const errors = ['not_found', 'tus_version', 'upload_locked', 'queue_unavailable'] as const satisfies ErrorCode[];
const partErrors = [
  ...['offset_mismatch', 'upload_gone', 'file_too_large', 'unsupported_content_type', 'storage_full', 'timeout'],
] as const satisfies ErrorCode[];

const part: Operation = {
  tag: 'Uploads',
  summary: 'Sends bytes of an upload, from where it ends.',
  isOutsideRate: true,
  requestHeaders: { ...version, 'Upload-Offset': 'Where they begin.' },
  body: { required: true, content: { 'application/offset+octet-stream': bytes } },
  answers: { 204: { description: 'They came.', headers: { 'Upload-Offset': 'Where the upload ends.', ...expires } } },
  errors: [...errors, ...partErrors],
};
const gone: Answer = { description: 'It is gone.' };

/** tus 1.0 (https://tus.io/protocols/resumable-upload). HEAD, which OpenAPI's readers expect beside GET, is not listed. */
export const uploadOperations: Operations = {
  'POST /api/v1/uploads': {
    tag: 'Uploads',
    summary: 'Begins a resumable upload (tus 1.0).',
    isOutsideRate: true,
    requestHeaders: { ...version, 'Upload-Length': 'Bytes of the whole recording.', 'Upload-Metadata': metadata },
    body: { required: false, content: { 'application/offset+octet-stream': bytes } },
    answers: { 201: { description: 'It has begun.', headers: { Location: 'Where its bytes go.', ...expires } } },
    errors: [...errors, ...partErrors, 'too_many_uploads'],
  },
  'PATCH /api/v1/uploads/:id': part,
  'POST /api/v1/uploads/:id': {
    ...part,
    summary: 'The same for programs that cannot send PATCH or DELETE.',
    requestHeaders: { ...part.requestHeaders, 'X-HTTP-Method-Override': '`PATCH`, `DELETE` or `HEAD`.' },
    answers: { ...part.answers, 200: { description: 'Where the upload ends.' } },
  },
  'DELETE /api/v1/uploads/:id': {
    tag: 'Uploads',
    summary: 'Ends an upload; a lecture that was made of it stays.',
    isOutsideRate: true,
    requestHeaders: version,
    answers: { 204: gone },
    errors,
  },
};
