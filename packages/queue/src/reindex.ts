import { AppError } from '@studymate/contracts/errors';
import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import type { FailedIndex } from './failed.ts';
import { nextJobs } from './next-jobs.ts';

/** The part of the lecture store that is needed. */
export interface StoredLectures {
  read(lectureId: string): Promise<LectureRecord | null>;
  readIndex(record: LectureRecord): Promise<ArtifactIndex>;
  hasLeftovers(lectureId: string): Promise<boolean>;
  listAllIds(): Promise<string[]>;
}

/** What a reindex has found in the store. */
export interface Reindexed {
  /** Lectures that there are. */
  lectures: number;
  /** Those that still have something to do, or that have ended and were never wound up. */
  unfinished: number;
  /** Stages that gave up. */
  failedJobs: number;
  /** Lectures whose record is damaged; all the others are not held up by them. */
  unreadable: { lectureId: string; message: string }[];
}

/** A lecture with nothing left to do is looked at again after a day at most, and not all of them in one round. */
const settledMs = 86_400_000;

/** Once there is a transcript, or a cancellation, the chunks say nothing more. */
const noChunks: ArtifactIndex = { cutChunks: [], transcribedChunks: [] };

/**
 * Rebuilds what Redis holds, from the store: the list of unfinished lectures, oldest first, and the list of failed jobs.
 * Safe at any time, by any number of processes, while workers work: adding what is there already changes nothing.
 *
 * @param deps.settled when each lecture was last seen with nothing left to do, kept by the caller from round to round:
 *   such ones are not read for a day, for in a bucket each reading is paid for
 * @param deps.takeUp puts an unfinished lecture on the list again, and queues its jobs if it likes
 * @throws AppError when store or Redis cannot be used; what was done until then is done
 */
export async function reindexLectures(deps: {
  lectures: StoredLectures;
  failed: FailedIndex;
  takeUp(record: LectureRecord): Promise<void>;
  /** Sees each lecture that is read. @returns whether it has more to do there, as far as it knows */
  visit?(record: LectureRecord): Promise<boolean>;
  settled?: Map<string, number>;
  nowMs?: number;
}): Promise<Reindexed> {
  const { lectures, failed, settled, nowMs = Date.now() } = deps;
  const result: Reindexed = { lectures: 0, unfinished: 0, failedJobs: 0, unreadable: [] };
  const index = await failed.beginReindex();
  // Ids sort by the time of the upload: who came first is first in the list again.
  const ids = (await lectures.listAllIds()).sort();
  for (const lectureId of ids) {
    if (nowMs - (settled?.get(lectureId) ?? Number.NEGATIVE_INFINITY) < settledMs) {
      result.lectures++;
      continue;
    }
    let record: LectureRecord | null;
    try {
      record = await lectures.read(lectureId);
    } catch (error) {
      // Another try would not change what is stored; anything else is no matter of this lecture.
      if (!(error instanceof AppError) || error.retryable) throw error;
      result.unreadable.push({ lectureId, message: error.message });
      continue;
    }
    if (!record) continue;
    result.lectures++;
    await failed.note(record);
    const hasNews = (await deps.visit?.(record)) ?? false;
    const isDecided = record.artifacts.assemble !== undefined || record.cancelledAt !== null;
    const isUnfinished = nextJobs(record, isDecided ? noChunks : await lectures.readIndex(record)).length > 0;
    if (!isUnfinished && !(await lectures.hasLeftovers(lectureId))) {
      // Of these the list of failures is made, and what was cancelled or has failed is likely to be asked for again.
      const mayChange = hasNews || record.cancelledAt !== null || Object.keys(record.failures).length > 0;
      if (!mayChange) settled?.set(lectureId, nowMs - Math.random() * (settledMs / 2));
      continue;
    }
    await deps.takeUp(record);
    result.unfinished++;
  }
  const known = new Set(ids);
  for (const lectureId of settled?.keys() ?? []) if (!known.has(lectureId)) settled?.delete(lectureId);
  result.failedJobs = await index.finish(ids);
  return result;
}
