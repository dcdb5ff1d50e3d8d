import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import type { Lecture } from '@studymate/contracts/lecture';
import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import type { Pace } from '@studymate/queue/backlog';
import { defaultBacklog } from '@studymate/queue/estimate';
import { noLiveState, toLectureView } from '@studymate/queue/lecture-view';
import type { LiveStore } from '@studymate/queue/live';
import { withRedis } from '@studymate/queue/redis';
import type { BlobStore } from '@studymate/storage/blob-store';
import { hideDamage } from '@studymate/storage/hide-damage';
import { ownerMarkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { CourseReader } from '../courses/course-reader.ts';

export interface LectureReader {
  /**
   * A lecture that a person may read: their own, or one of a course that is shared with them.
   * @throws AppError `not_found`, also for what is no id and for what belongs to somebody else; of one whose record is damaged
   *   only its owner is told, `internal`
   */
  readRecord(person: string, lectureId: unknown): Promise<LectureRecord>;
  /** A lecture that is a person's own, to change it or to see what only its owner may. @throws AppError `not_found`; `forbidden` when they may only read it */
  readOwn(person: string, lectureId: unknown): Promise<LectureRecord>;
  /** With what is going on right now; without that while Redis is away. */
  toView(record: LectureRecord): Promise<Lecture>;
}

const noIndex: ArtifactIndex = { cutChunks: [], transcribedChunks: [] };
/** What is only for show must not make a page slow while Redis is away. */
const liveTimeoutMs = 500;

export function createLectureReader(deps: {
  blobs: Pick<BlobStore, 'stat'>;
  lectures: LectureStore;
  courseReader: Pick<CourseReader, 'isShared'>;
  live: LiveStore;
  pace: Pace;
}): LectureReader {
  const { blobs, lectures, courseReader, live, pace } = deps;

  /** The owner of a damaged one is known by the mark that their lectures are listed by; to others it is none. */
  const readKnown = (person: string, id: string): Promise<LectureRecord | null> =>
    hideDamage(lectures.read(id), async () => (await blobs.stat(ownerMarkKey(person, id))) !== null);

  const readRecord: LectureReader['readRecord'] = async (person, lectureId) => {
    const id = idSchema.safeParse(lectureId);
    const record = id.success ? await readKnown(person, id.data) : null;
    if (record && (record.owner === person || (await courseReader.isShared(person, record)))) return record;
    throw new AppError('not_found', 'There is no such lecture.');
  };

  return {
    readRecord,
    async readOwn(person, lectureId) {
      const record = await readRecord(person, lectureId);
      checkOwner(person, record);
      return record;
    },
    async toView(record) {
      // Once there is a transcript, or the end of everything, the chunks say nothing more.
      const index =
        record.artifacts.assemble || record.cancelledAt !== null ? noIndex : await lectures.readIndex(record);
      const settled = toLectureView(record, index, noLiveState, defaultBacklog);
      if (settled.status !== 'queued' && settled.status !== 'running') return settled;
      const [state, current] = await Promise.all([
        withRedis(() => live.read(record.id, record.attempts), liveTimeoutMs).catch(() => noLiveState),
        withRedis(() => pace.readBacklog(), liveTimeoutMs).catch(() => defaultBacklog),
      ]);
      return toLectureView(record, index, state, current);
    },
  };
}

/** @throws AppError `forbidden` */
export function checkOwner(person: string, record: LectureRecord): void {
  if (record.owner !== person) throw new AppError('forbidden', 'That is for the owner of the lecture alone.');
}

export function hasEnded(lecture: Lecture): boolean {
  return lecture.status !== 'queued' && lecture.status !== 'running';
}
