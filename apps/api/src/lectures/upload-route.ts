import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryBytes } from '@studymate/contracts/glossary';
import { createId } from '@studymate/contracts/ids';
import { type CreateLectureFields, createLectureFieldsSchema } from '@studymate/contracts/lecture';
import { parseCallbackUrl } from '@studymate/queue/callback-address';
import { parseLanguage } from '@studymate/speech/languages';
import type { BlobStore } from '@studymate/storage/blob-store';
import { mediaKey } from '@studymate/storage/lecture-keys';
import type { Request, Response } from 'express';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import type { CourseReader } from '../courses/course-reader.ts';
import type { Handler } from '../http/add-route.ts';
import { readGlossary } from '../http/glossary-field.ts';
import { readIdempotencyKey, setReplayed } from '../http/idempotency-key.ts';
import { parseRequest } from '../http/json-body.ts';
import { receiveFile } from '../http/multipart.ts';
import type { CreatedLecture, CreateOptions, LectureCreator } from './create-lecture.ts';
import type { LectureReader } from './lecture-reader.ts';
import { toNewRecord } from './new-lecture.ts';

/**
 * POST /api/v1/lectures: the file goes straight to the store and is hashed on the way. The record is written before
 * anything is queued, so an upload that was acknowledged is never lost.
 */
export function createUploadHandler(deps: {
  config: Config;
  blobs: BlobStore;
  reader: LectureReader;
  courseReader: CourseReader;
  creator: LectureCreator;
  admission: Admission;
  /** Takes requests in JSON, which name an upload. */
  fromUpload: Handler;
}): Handler {
  const { blobs, courseReader } = deps;
  const receive: Handler = async (req, res) => {
    const owner = ownerOf(res);
    const options = readCreateOptions(req);
    const fields: CreateLectureFields = {};
    let glossary: readonly string[] = [];
    const key = mediaKey(createId());
    const file = await receiveFile(req, {
      maxFileBytes: deps.config.limits.maxUploadBytes,
      maxFieldBytes: maxGlossaryBytes,
      onField(name, value) {
        if (name === 'glossary') glossary = readGlossary(glossary, value);
        else readField(fields, name, value);
        if (name === 'callbackUrl') checkCallbackUrl(deps.config, fields.callbackUrl);
      },
      async store(bytes) {
        await courseReader.checkOwn(owner, fields.courseId);
        return blobs.put(key, bytes);
      },
      discard: () => blobs.delete(key),
    });
    try {
      // It may have come after the file.
      await courseReader.checkOwn(owner, fields.courseId);
    } catch (error) {
      await blobs.delete(key);
      throw error;
    }
    const record = toNewRecord(owner, key, file, { ...fields, glossary });
    await sendCreated(res, deps.reader, await deps.creator.create(record, options));
  };
  return (req, res) =>
    req.is('application/json')
      ? deps.fromUpload(req, res)
      : deps.admission.lecture(ownerOf(res), async () => receive(req, res));
}

/** `Cache-Control: no-cache` asks for a new lecture, as it asks for a new answer to a clip. */
export function readCreateOptions(req: Request): CreateOptions {
  return {
    idempotencyKey: readIdempotencyKey(req),
    isFresh: /(^|,)\s*no-(cache|store)\s*(,|$)/i.test(req.get('cache-control') ?? ''),
  };
}

/** 202 in any case, as programs expect of this route; the header says what this request has not made. */
export async function sendCreated(
  res: Response,
  reader: Pick<LectureReader, 'toView'>,
  { record, isNew }: CreatedLecture,
): Promise<void> {
  if (!isNew) setReplayed(res);
  const view = await reader.toView(record);
  res.status(202).location(`/api/v1/lectures/${record.id}`).json(view);
}

/** @throws AppError `callback_refused` */
export function checkCallbackUrl({ callbacks }: Pick<Config, 'callbacks'>, callbackUrl: string | undefined): void {
  if (callbackUrl === undefined) return;
  if (callbacks.secret === null) {
    throw new AppError('callback_refused', 'callbackUrl: callbacks are off here; the operator sets CALLBACK_SECRET');
  }
  parseCallbackUrl(callbackUrl, callbacks);
}

function isField(name: string): name is keyof CreateLectureFields {
  return Object.hasOwn(createLectureFieldsSchema.shape, name);
}

/** Checks a field as soon as it comes: a mistake in it should not cost the upload of gigabytes. */
function readField(fields: CreateLectureFields, name: string, value: string): void {
  if (!isField(name)) return;
  // An empty field of a form means that it was not filled in.
  if (value.trim() === '') return;
  if (fields[name] !== undefined) throw new AppError('invalid_request', `${name}: is given twice`);
  const parsed = parseRequest(createLectureFieldsSchema, { [name]: value })[name];
  if (parsed !== undefined) fields[name] = name === 'language' ? parseLanguage(parsed) : parsed;
}
