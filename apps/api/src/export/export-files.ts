import {
  chaptersArtifactSchema,
  flashcardsArtifactSchema,
  summaryArtifactSchema,
  topicsArtifactSchema,
} from '@studymate/contracts/artifacts';
import { AppError, type ErrorCode, toAppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { readStageContent } from '../lectures/artifact-reader.ts';
import type { LectureReader } from '../lectures/lecture-reader.ts';
import { readTranscript } from '../lectures/lecture-text.ts';
import type { Services } from '../services.ts';
import { type TarFile, toTarFile } from './tar.ts';

interface Problem {
  id: string;
  part: string;
  code: ErrorCode;
}

const pageSize = 100;
/** A part that was never made is no problem. */
const notMade: readonly ErrorCode[] = ['not_ready', 'stage_failed', 'stage_skipped', 'lecture_cancelled'];

/**
 * The files of an export, one after the other: what cannot be read is named in the last one, `export.json`, which also
 * says that the export is whole.
 */
export async function* listExportFiles(
  deps: {
    services: Pick<Services, 'lectures' | 'courses' | 'conversations' | 'artifacts' | 'edits' | 'reviews' | 'blobs'>;
    reader: Pick<LectureReader, 'toView'>;
  },
  owner: string,
  options: { withMedia: boolean; now?: Date },
): AsyncGenerator<TarFile> {
  const { lectures, courses, conversations, artifacts, edits, reviews, blobs } = deps.services;
  const { withMedia, now = new Date() } = options;
  const problems: Problem[] = [];
  let lectureCount = 0;

  /** @returns null for what is not there; what cannot be read is noted */
  const unlessMissing = async <T>(id: string, part: string, read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      const { code } = toAppError(error);
      // Nothing else will be read either: the caller shall see that the export breaks off.
      if (code === 'storage_unavailable' || !(error instanceof AppError)) throw error;
      if (!notMade.includes(code)) problems.push({ id, part, code });
      return null;
    }
  };

  /** Of the owner alone; null while there are none. */
  const readReviews = async (lectureId: string) => {
    const own = await reviews.read(lectureId, owner);
    return own.length === 0 ? null : own;
  };
  const readParts = (record: LectureRecord): [name: string, read: () => Promise<unknown>][] => [
    ['transcript', () => readTranscript(deps.services, record)],
    // What the machine had heard instead.
    ['corrections', () => edits.read(record.id, record.transcriptVersion ?? 0)],
    ['chapters', () => readStageContent(artifacts, record, 'chapters', chaptersArtifactSchema)],
    ['topics', () => readStageContent(artifacts, record, 'topics', topicsArtifactSchema)],
    ['summary', () => readStageContent(artifacts, record, 'summary', summaryArtifactSchema)],
    ['flashcards', () => readStageContent(artifacts, record, 'flashcards', flashcardsArtifactSchema)],
    ['reviews', () => readReviews(record.id)],
  ];

  async function* listLecture(record: LectureRecord): AsyncGenerator<TarFile> {
    const { id, media } = record;
    const modifiedMs = Date.parse(record.createdAt);
    const { queue: _, ...view } = await deps.reader.toView(record);
    const { fileName, contentType, bytes, sha256 } = media;
    yield toTarFile(
      `lectures/${id}/lecture.json`,
      { ...view, media: { fileName, contentType, bytes, sha256 } },
      modifiedMs,
    );
    for (const [name, read] of readParts(record)) {
      const content = await unlessMissing(id, name, read);
      if (content !== null) yield toTarFile(`lectures/${id}/${name}.json`, content, modifiedMs);
    }
    if (!withMedia) return;
    const stat = await blobs.stat(media.key);
    if (!stat) {
      problems.push({ id, part: 'media', code: 'not_found' });
      return;
    }
    const ending = /\.[A-Za-z0-9]{1,8}$/.exec(fileName)?.[0] ?? '';
    yield { name: `lectures/${id}/recording${ending}`, bytes: stat.bytes, modifiedMs, body: blobs.stream(media.key) };
  }

  for await (const id of walkIds((page) => courses.listIds(owner, { ...page, relation: 'owned' }))) {
    const course = await unlessMissing(id, 'course', () => courses.read(id));
    if (course?.owner !== owner) continue;
    const { schemaVersion: _, ...fields } = course;
    const members = await unlessMissing(id, 'members', () => courses.listMembers(id));
    yield toTarFile(`courses/${id}.json`, { ...fields, members }, Date.parse(course.createdAt));
  }
  for await (const id of walkIds((page) => lectures.listIds(owner, page))) {
    const record = await unlessMissing(id, 'lecture', () => lectures.read(id));
    if (record?.owner !== owner || record.transientUntil !== undefined) continue;
    lectureCount++;
    yield* listLecture(record);
  }
  const asked = await unlessMissing(owner, 'conversations', () => conversations.readAll(owner));
  if (asked && asked.length > 0) yield toTarFile('conversations.json', asked, now.getTime());
  const summary = { schemaVersion: 1, owner, exportedAt: now.toISOString(), withMedia, lectureCount, problems };
  yield toTarFile('export.json', summary, now.getTime());
}

async function* walkIds(list: (page: { after?: string; limit: number }) => Promise<string[]>): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const ids = await list({ ...(after && { after }), limit: pageSize });
    yield* ids;
    if (ids.length < pageSize) return;
    after = ids.at(-1);
  }
}
