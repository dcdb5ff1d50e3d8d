import { createId } from '@studymate/contracts/ids';
import type { CreateLectureFields } from '@studymate/contracts/lecture';
import { type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import type { BlobStore, WrittenBlob } from '@studymate/storage/blob-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { toRecognition } from '../http/glossary-field.ts';
import type { ReceivedFile } from '../http/multipart.ts';
import { toStoredFileName, toTitle } from './file-names.ts';
import { toPlayableType } from './media-types.ts';

/** What a caller may say of a new lecture. */
export interface NewLectureFields extends CreateLectureFields {
  /** As `toGlossary` gives it. */
  glossary?: readonly string[];
}

/** The first version of a lecture. @param mediaKey where the file was stored; without a title its name is the title */
export function toNewRecord(
  owner: string,
  mediaKey: string,
  file: ReceivedFile<WrittenBlob>,
  { title, courseId, language, callbackUrl, glossary = [] }: NewLectureFields = {},
): LectureRecord {
  const fileName = toStoredFileName(file.fileName);
  const recognition = toRecognition(glossary);
  return toFirstVersion({
    id: createId(),
    owner,
    title: toTitle(title, fileName),
    courseId: courseId ?? null,
    requestedLanguage: language ?? null,
    media: {
      key: mediaKey,
      fileName,
      contentType: toPlayableType(file.contentType, fileName) ?? toStoredContentType(file.contentType),
      bytes: file.stored.bytes,
      sha256: file.stored.sha256,
    },
    createdAt: new Date().toISOString(),
    ...(recognition && { recognition }),
    ...(callbackUrl && { callbackUrl }),
  });
}

/** Writes the record; when that fails, nothing is left of the lecture and its media. */
export async function keepRecord(
  deps: { lectures: LectureStore; blobs: BlobStore },
  record: LectureRecord,
): Promise<void> {
  try {
    await deps.lectures.create(record);
  } catch (error) {
    // The record may be there although its writing failed in the last step: then the lecture goes, and its media.
    await deps.lectures.delete(record.id).catch(() => {});
    await deps.blobs.delete(record.media.key).catch(() => {});
    throw error;
  }
}

function toStoredContentType(claimed: string): string {
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/i.test(claimed) ? claimed.toLowerCase() : 'application/octet-stream';
}
