import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import { type CreateLectureFields, createLectureFieldsSchema } from '@studymate/contracts/lecture';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { parseLanguage } from '@studymate/speech/languages';
import type { BlobStore } from '@studymate/storage/blob-store';
import { mediaKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import type { Handler } from '../http/add-route.ts';
import { parseRequest } from '../http/json-body.ts';
import { receiveFile } from '../http/multipart.ts';
import { toStoredFileName, toTitle } from './file-names.ts';
import type { LectureReader } from './lecture-reader.ts';
import { toPlayableType } from './media-types.ts';
import type { Submitter } from './submit.ts';

/**
 * POST /api/v1/lectures: the file goes straight to the store and is hashed on the way. The record is written before
 * anything is queued, so an upload that was acknowledged is never lost.
 */
export function createUploadHandler(deps: {
  config: Config;
  blobs: BlobStore;
  lectures: LectureStore;
  reader: LectureReader;
  submitter: Submitter;
  admission: Admission;
}): Handler {
  const { blobs, lectures } = deps;
  const receive: Handler = async (req, res) => {
    const fields: CreateLectureFields = {};
    const key = mediaKey(createId());
    const file = await receiveFile(req, {
      maxFileBytes: deps.config.limits.maxUploadBytes,
      onField: (name, value) => readField(fields, name, value),
      store: (bytes) => blobs.put(key, bytes),
      discard: () => blobs.delete(key),
    });
    const fileName = toStoredFileName(file.fileName);
    const record: LectureRecord = {
      schemaVersion: 1,
      id: createId(),
      version: 1,
      owner: ownerOf(res),
      title: toTitle(fields.title, fileName),
      courseId: fields.courseId ?? null,
      requestedLanguage: fields.language ?? null,
      media: {
        key,
        fileName,
        contentType: toPlayableType(file.contentType, fileName) ?? toStoredContentType(file.contentType),
        bytes: file.stored.bytes,
        sha256: file.stored.sha256,
      },
      createdAt: new Date().toISOString(),
      cancelledAt: null,
      durationSeconds: null,
      detectedLanguage: null,
      warnings: [],
      attempts: {},
      artifacts: {},
      failures: {},
      skipped: {},
    };
    try {
      await lectures.create(record);
    } catch (error) {
      // The record may be there although its writing failed in the last step: then the lecture goes, and its media.
      await lectures.delete(record.id).catch(() => {});
      await blobs.delete(key).catch(() => {});
      throw error;
    }
    await deps.submitter.submit(record);
    res
      .status(202)
      .location(`/api/v1/lectures/${record.id}`)
      .json(await deps.reader.toView(record));
  };
  return (req, res) => deps.admission.lecture(ownerOf(res), async () => receive(req, res));
}

/** Checks a field as soon as it comes: a mistake in it should not cost the upload of gigabytes. */
function readField(fields: CreateLectureFields, name: string, value: string): void {
  if (name !== 'title' && name !== 'courseId' && name !== 'language') return;
  // An empty field of a form means that it was not filled in.
  if (value.trim() === '') return;
  if (fields[name] !== undefined) throw new AppError('invalid_request', `${name}: is given twice`);
  const parsed = parseRequest(createLectureFieldsSchema, { [name]: value })[name];
  if (parsed !== undefined) fields[name] = name === 'language' ? parseLanguage(parsed) : parsed;
}

function toStoredContentType(claimed: string): string {
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/i.test(claimed) ? claimed.toLowerCase() : 'application/octet-stream';
}
