import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryBytes } from '@studymate/contracts/glossary';
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
import { readGlossary, toRecognition } from '../http/glossary-field.ts';
import { parseRequest } from '../http/json-body.ts';
import { receiveFile } from '../http/multipart.ts';
import type { LectureReader } from './lecture-reader.ts';
import { keepRecord, toNewRecord } from './new-lecture.ts';
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
  const { blobs } = deps;
  const receive: Handler = async (req, res) => {
    const fields: CreateLectureFields = {};
    let glossary: readonly string[] = [];
    const key = mediaKey(createId());
    const file = await receiveFile(req, {
      maxFileBytes: deps.config.limits.maxUploadBytes,
      maxFieldBytes: maxGlossaryBytes,
      onField(name, value) {
        if (name === 'glossary') glossary = readGlossary(glossary, value);
        else readField(fields, name, value);
      },
      store: (bytes) => blobs.put(key, bytes),
      discard: () => blobs.delete(key),
    });
    const record: LectureRecord = {
      ...toNewRecord(ownerOf(res), key, file, fields.title),
      courseId: fields.courseId ?? null,
      requestedLanguage: fields.language ?? null,
      recognition: toRecognition(glossary),
    };
    await keepRecord(deps, record);
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
