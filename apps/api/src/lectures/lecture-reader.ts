import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import type { Lecture } from '@studymate/contracts/lecture';
import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import type { Pace } from '@studymate/queue/backlog';
import { defaultBacklog } from '@studymate/queue/estimate';
import { noLiveState, toLectureView } from '@studymate/queue/lecture-view';
import type { LiveStore } from '@studymate/queue/live';
import { withRedis } from '@studymate/queue/redis';
import type { LectureStore } from '@studymate/storage/lecture-store';

export interface LectureReader {
  /** @throws AppError `not_found`, also for what is no id and for what belongs to somebody else */
  readRecord(owner: string, lectureId: unknown): Promise<LectureRecord>;
  /** With what is going on right now; without that while Redis is away. */
  toView(record: LectureRecord): Promise<Lecture>;
}

const noIndex: ArtifactIndex = { cutChunks: [], transcribedChunks: [] };
/** What is only for show must not make a page slow while Redis is away. */
const liveTimeoutMs = 500;

export function createLectureReader(deps: { lectures: LectureStore; live: LiveStore; pace: Pace }): LectureReader {
  const { lectures, live, pace } = deps;

  return {
    async readRecord(owner, lectureId) {
      const id = idSchema.safeParse(lectureId);
      const record = id.success ? await lectures.read(id.data) : null;
      if (!record || record.owner !== owner) throw new AppError('not_found', 'There is no such lecture.');
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

export function hasEnded(lecture: Lecture): boolean {
  return lecture.status !== 'queued' && lecture.status !== 'running';
}
