import { transcribedChunkSchema } from '@studymate/contracts/artifacts';
import { AppError, isErrorCode, toAppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { ActiveLectures } from '@studymate/queue/active';
import type { Advancer } from '@studymate/queue/advance';
import type { EventPublisher } from '@studymate/queue/events';
import type { FailedIndex } from '@studymate/queue/failed';
import { attemptOf, nextJobs } from '@studymate/queue/next-jobs';
import type { Queues } from '@studymate/queue/queues';
import { reindexLectures } from '@studymate/queue/reindex';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { Callbacks } from './callbacks/callbacks.ts';
import type { StageRunner } from './stage-runner.ts';
import { unlessDamaged } from './unless-damaged.ts';

export interface Reconciler {
  /** Goes through all unfinished lectures and mends what a process that died left behind. */
  reconcile(): Promise<void>;
  /**
   * Puts every unfinished lecture of the store on the list again, after Redis has lost it.
   * @param options.all looks also at those that had nothing left to do a while ago @returns how many
   */
  reindex(options?: { all?: boolean }): Promise<number>;
}

export function createReconciler(deps: {
  lectures: LectureStore;
  artifacts: ArtifactReader;
  events: Pick<EventPublisher, 'publishChunk' | 'countPublished'>;
  queues: Queues;
  active: ActiveLectures;
  failed: FailedIndex;
  advancer: Advancer;
  runner: StageRunner;
  callbacks: Pick<Callbacks, 'tell'>;
  /** Whether each reading of the store has its price: what is finished is then looked at once a day. */
  isReadingDear: boolean;
  onError(error: Error, lectureId: string): void;
}): Reconciler {
  const { lectures, artifacts, events, queues, active, failed, advancer, runner, callbacks } = deps;

  /** Announces the text that nobody announced: Redis has lost where the lecture stood, or a worker died before it. */
  const tellText = async (record: LectureRecord, transcribedChunks: number[]): Promise<void> => {
    const attempt = attemptOf(record, 'transcribe');
    const done = new Set(transcribedChunks);
    for (let chunk = await events.countPublished(record.id, attempt); done.has(chunk); chunk++) {
      const key = transcribedChunkKey(record.id, attempt, chunk);
      // A damaged one is made again when all of them are needed.
      const transcribed = await unlessDamaged(artifacts.readArtifact(key, transcribedChunkSchema));
      if (!transcribed) return;
      await events.publishChunk(record.id, attempt, chunk, transcribed.segments.length);
    }
  };

  /** When lectures were seen that had nothing left to do. */
  const settled = new Map<string, number>();

  /** Lectures whose record cannot be read, and of which that has been said. */
  const unreadable = new Set<string>();
  const tellUnreadable = (error: AppError, lectureId: string): void => {
    if (!unreadable.has(lectureId)) deps.onError(error, lectureId);
    unreadable.add(lectureId);
  };

  /** @returns undefined when the record cannot be read: then it is told once, and the lecture is left as it is */
  const read = async (lectureId: string): Promise<LectureRecord | null | undefined> => {
    try {
      const record = await lectures.read(lectureId);
      unreadable.delete(lectureId);
      return record;
    } catch (thrown) {
      const error = toAppError(thrown);
      // A later StudyMate can do something for what it wrote, and may run beside this one.
      const isNewer = error.code === 'newer_version';
      if (!isNewer && error.retryable) throw error;
      tellUnreadable(error, lectureId);
      // Until somebody restores it: the next reindex finds it again.
      if (!isNewer) await active.remove(lectureId);
      return undefined;
    }
  };

  const mend = async (lectureId: string): Promise<void> => {
    const record = await read(lectureId);
    if (record === undefined) return;
    if (!record) return await advancer.advance(lectureId);
    if (await runner.finishIfEnded(record)) return;
    const index = await lectures.readIndex(record);
    for (const { spec, job, hasFailed } of await queues.findEndedJobs(nextJobs(record, index))) {
      // BullMQ gave up without us, as it does with a job that takes its worker down again and again.
      if (hasFailed)
        await runner.keepFailure(spec, toJobError(job.failedReason), Math.max(job.attemptsMade, job.stalledCounter));
      // Its artifact is gone; under the old id BullMQ would not take the job again.
      else await job.remove();
    }
    await advancer.advance(lectureId, { again: true });
    if (!record.artifacts.assemble) await tellText(record, index.transcribedChunks);
  };

  return {
    async reconcile() {
      for (const lectureId of await active.list()) {
        try {
          await mend(lectureId);
        } catch (error) {
          deps.onError(toAppError(error), lectureId);
        }
      }
    },
    async reindex({ all = false } = {}) {
      if (all) settled.clear();
      const takeUp = (record: LectureRecord) => active.add(record, Date.parse(record.createdAt));
      const found = await reindexLectures({
        lectures,
        failed,
        takeUp,
        visit: callbacks.tell,
        ...(deps.isReadingDear && { settled }),
      });
      for (const { lectureId, message } of found.unreadable)
        tellUnreadable(new AppError('internal', message), lectureId);
      return found.unfinished;
    },
  };
}

/** A failed job's reason is "code: message" where we gave it. */
function toJobError(reason: string | undefined): AppError {
  const [, code, message] = /^(\w+): (.*)$/s.exec(reason ?? '') ?? [];
  if (isErrorCode(code)) return new AppError(code, message ?? '');
  // BullMQ's own words for a job that stalled more often than it may.
  if (/stalled/.test(reason ?? '')) {
    return new AppError('worker_crashed', 'The worker ended again and again while it did this.');
  }
  return new AppError('internal', reason || 'The job gave up.');
}
