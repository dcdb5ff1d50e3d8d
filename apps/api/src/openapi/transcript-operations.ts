import { transcriptQuerySchema } from '@studymate/contracts/queries';
import { partialTranscriptSchema, versionedTranscriptSchema } from '@studymate/contracts/transcript';
import {
  editedTranscriptSchema,
  editTranscriptSchema,
  restoreTranscriptSchema,
  transcriptVersionsSchema,
  unplacedCorrectionsSchema,
} from '@studymate/contracts/transcript-edit';
import { z } from 'zod';
import { type Answer, asFile, changeErrors, type Operations, partErrors } from './operation.ts';

const etag = { ETag: 'The version of the text and of the hearing that it corrects, in quotes, such as "3-1".' };
const requestHeaders = { 'If-Match': 'Only if the text still has this ETag, or this version (`"3"`).' };
const edited: Answer = {
  description: 'The version, and its segments that were named or have changed.',
  content: { 'application/json': editedTranscriptSchema },
  headers: etag,
};
const editErrors = [
  ...new Set([...changeErrors, ...partErrors]),
  ...(['version_mismatch', 'limit_reached', 'storage_full'] as const),
];

export const transcriptOperations: Operations = {
  'GET /api/v1/lectures/:id/transcript': {
    tag: 'Parts of a lecture',
    summary: 'The transcript as people have corrected it, with the times of words as JSON, or as a file.',
    query: transcriptQuerySchema,
    answers: {
      200: {
        description: 'The transcript; with `partial=true` what there is so far.',
        content: {
          'application/json': z.union([partialTranscriptSchema, versionedTranscriptSchema]),
          'text/plain': 'text',
          'application/x-subrip': 'text',
          'text/vtt': 'text',
        },
        headers: { ...asFile, ETag: `${etag.ETag} None of what is not whole.` },
      },
    },
    errors: [...partErrors, 'forbidden'],
  },
  'PATCH /api/v1/lectures/:id/transcript': {
    tag: 'Parts of a lecture',
    summary: 'Corrects the text of segments: one more version of the transcript, unless nothing changes.',
    requestHeaders,
    body: { required: true, content: { 'application/json': editTranscriptSchema } },
    answers: { 200: edited },
    errors: editErrors,
  },
  'GET /api/v1/lectures/:id/transcript/versions': {
    tag: 'Parts of a lecture',
    summary: 'The versions of the transcript, newest first; the last is the machine’s.',
    answers: { 200: { description: 'At most 101.', content: { 'application/json': transcriptVersionsSchema } } },
    errors: [...partErrors, 'forbidden'],
  },
  'POST /api/v1/lectures/:id/transcript/restore': {
    tag: 'Parts of a lecture',
    summary: 'Takes up the text of an earlier version again, as a new one.',
    requestHeaders,
    body: { required: true, content: { 'application/json': restoreTranscriptSchema } },
    answers: { 200: edited },
    errors: editErrors,
  },
  'GET /api/v1/lectures/:id/transcript/unplaced': {
    tag: 'Parts of a lecture',
    summary: 'The corrections that have no effect since the recording was transcribed again into other words.',
    answers: {
      200: {
        description: 'Where each was, what the machine had heard there, and what a person wrote instead.',
        content: { 'application/json': unplacedCorrectionsSchema },
        headers: etag,
      },
    },
    errors: [...partErrors, 'forbidden'],
  },
  'DELETE /api/v1/lectures/:id/transcript/unplaced': {
    tag: 'Parts of a lecture',
    summary:
      'Throws those corrections away: one more version of the transcript, with the same text, unless there are none.',
    requestHeaders,
    answers: { 200: edited },
    errors: editErrors,
  },
};
