import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import type { ActiveLectures } from './active.ts';
import { hasFailed, nextJobs, toJobId } from './next-jobs.ts';
import type { Queues } from './queues.ts';

const maxRemembered = 10_000;

/** The part of the lecture store that is needed to decide what runs next. */
export interface LectureReader {
  read(lectureId: string): Promise<LectureRecord | null>;
  readIndex(record: LectureRecord): Promise<ArtifactIndex>;
}

export interface Advancer {
  /**
   * Queues every job of the lecture that should exist and does not. Safe to call at any time, by anyone.
   * @param options.again also adds what this process has added before, in case Redis has lost it
   */
  advance(lectureId: string, options?: { again?: boolean }): Promise<void>;
  /**
   * Takes out of the queues what waits there for a lecture that is cancelled or deleted, or that cannot be ended because
   * a stage on the way to its transcript gave up. What failed itself stays.
   * @param record as it was before a deletion, or as it is now
   */
  withdraw(record: LectureRecord): Promise<void>;
}

export function createAdvancer(deps: {
  lectures: LectureReader;
  queues: Queues;
  active: Pick<ActiveLectures, 'release' | 'remove'>;
}): Advancer {
  const { lectures, queues, active } = deps;
  // Adding a job twice is harmless but not free: a long lecture has hundreds of chunks, and each one that is done
  // would add all the others again.
  const added = new Set<string>();
  return {
    async advance(lectureId, { again = false } = {}) {
      const record = await lectures.read(lectureId);
      if (!record) {
        await active.remove(lectureId);
        return;
      }
      // A job that runs while the index is read may finish meanwhile; asking for it again is then harmless,
      // because its artifact is already there and the worker sees that first.
      const jobs = nextJobs(record, await lectures.readIndex(record));
      const missing = again ? jobs : jobs.filter((job) => !added.has(toJobId(job)));
      if (missing.length === 0) return;
      await queues.addStageJobs(record, missing);
      if (added.size + missing.length > maxRemembered) added.clear();
      for (const job of missing) added.add(toJobId(job));
      // A lecture with nothing left to do stays on the list until its end has been told: who tells it takes it off.
    },
    async withdraw(record) {
      await active.release(record.id);
      const index = await lectures.readIndex(record);
      const jobs = nextJobs({ ...record, cancelledAt: null, failures: {} }, index);
      await queues.removeStageJobs(
        record,
        jobs.filter(({ stage, part }) => !hasFailed(record, stage) || (record.failures[stage]?.part ?? 0) !== part),
      );
    },
  };
}
