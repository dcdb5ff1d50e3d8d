import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryBytes, parseGlossary, toGlossary } from '@studymate/contracts/glossary';
import { createId } from '@studymate/contracts/ids';
import { type LectureFromUpload, lectureFromUploadSchema } from '@studymate/contracts/upload';
import type { UploadLocks } from '@studymate/queue/upload-locks';
import { parseLanguage } from '@studymate/speech/languages';
import type { BlobStore } from '@studymate/storage/blob-store';
import { mediaKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { StoredUpload, UploadStore } from '@studymate/storage/upload-store';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import type { CourseReader } from '../courses/course-reader.ts';
import type { Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { readJsonBody } from '../http/json-body.ts';
import { noSuchUpload, uploadGone } from '../uploads/tus-errors.ts';
import type { CreatedLecture, CreateOptions, LectureCreator } from './create-lecture.ts';
import type { LectureReader } from './lecture-reader.ts';
import { type NewLectureFields, toNewRecord } from './new-lecture.ts';
import type { Submitter } from './submit.ts';
import { checkCallbackUrl, readCreateOptions, sendCreated } from './upload-route.ts';

/** A glossary, and the few other fields. */
const maxBodyBytes = maxGlossaryBytes + 16 * 1024;

/**
 * POST /api/v1/lectures with the id of a finished upload: its bytes get their name as media, and are not copied.
 *
 * Each step leaves something that the next try finds: which lecture it is to be, the media under its name, the record.
 * So whoever asks again, after whatever went wrong, gets that one lecture.
 */
export function createLectureFromUploadHandler(deps: {
  config: Config;
  uploads: UploadStore;
  locks: UploadLocks;
  lectures: LectureStore;
  blobs: BlobStore;
  reader: LectureReader;
  courseReader: CourseReader;
  creator: LectureCreator;
  submitter: Submitter;
  admission: Admission;
}): Handler {
  const { uploads, lectures, submitter } = deps;

  /** The lecture that was made of it, or null while it has none. */
  const findLecture = async (upload: StoredUpload): Promise<CreatedLecture | null> => {
    const record = upload.lectureId === null ? null : await lectures.read(upload.lectureId);
    // Its maker may have died before it was queued. Queueing it again changes nothing.
    if (record?.version === 1) await submitter.submit(record);
    return record && { record, isNew: false };
  };

  const make = async (
    upload: StoredUpload,
    fields: NewLectureFields,
    options: CreateOptions,
  ): Promise<CreatedLecture> => {
    const { owner, id, bytes, offset, metadata } = upload;
    if (upload.touchedMs < Date.now() - deps.config.uploads.ttlMs) throw uploadGone();
    if (offset < bytes) {
      const message = `Only ${offset} of its ${bytes} bytes have come.`;
      throw new AppError('upload_unfinished', message, { details: { offset, bytes } });
    }
    if (bytes === 0) throw new AppError('file_empty', 'The file has no bytes.');
    const sha256 = await uploads.finish(upload);
    const lectureId = await uploads.claimLecture(upload, createId());
    // The bytes go with a lecture that was deleted, if not at once.
    if (await lectures.isDeleted(lectureId)) throw uploadGone();
    if (!(await uploads.publish(upload))) throw uploadGone();
    const file = {
      fileName: metadata.filename ?? metadata.name ?? '',
      contentType: metadata.filetype ?? metadata.type ?? '',
      bytes,
      stored: { bytes, sha256 },
    };
    const key = mediaKey(id);
    const wanted = { ...toNewRecord(owner, key, file, fields), id: lectureId };
    const created = await deps.creator.create(wanted, { ...options, keepsMedia: true });
    if (created.record.id !== lectureId) await uploads.replaceLecture(upload, created.record.id);
    // An equal lecture has the recording already.
    if (created.record.media.key !== key) await deps.blobs.delete(key);
    return created;
  };

  return async (req, res) => {
    const owner = ownerOf(res);
    const { uploadId, ...fields } = await readJsonBody(req, {
      schema: lectureFromUploadSchema,
      maxBytes: maxBodyBytes,
    });
    const options = readCreateOptions(req);
    const wanted = toFields(fields);
    checkCallbackUrl(deps.config, wanted.callbackUrl);
    await deps.courseReader.checkOwn(owner, wanted.courseId);
    // Before the lock: nobody else may make its holder give way.
    if (!(await uploads.read(owner, uploadId))) throw noSuchUpload();
    const lock = await deps.locks.acquire(uploadId, { signal: callerGone(res), onWanted: () => {} });
    try {
      const upload = await uploads.read(owner, uploadId);
      if (!upload) throw noSuchUpload();
      // One that is there already takes up no more room.
      const created =
        (await findLecture(upload)) ?? (await deps.admission.lecture(owner, () => make(upload, wanted, options)));
      await sendCreated(res, deps.reader, created);
    } finally {
      await lock.release();
    }
  };
}

/** @throws AppError `unknown_language`, `invalid_request` */
function toFields({ glossary = [], language, ...fields }: Omit<LectureFromUpload, 'uploadId'>): NewLectureFields {
  return {
    ...fields,
    ...(language && { language: parseLanguage(language) }),
    glossary: typeof glossary === 'string' ? parseGlossary(glossary) : toGlossary(glossary),
  };
}
