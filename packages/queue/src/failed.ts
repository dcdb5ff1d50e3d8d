import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type StageName, stageNames } from '@studymate/contracts/stages';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { attemptOf, hasFailed, nextJobs } from './next-jobs.ts';
import { toRetriedRecord } from './retry.ts';

/** A stage that gave up, as its lecture's record tells it. */
export interface FailedJob {
  lectureId: string;
  owner: string;
  title: string;
  stage: StageName;
  /** The chunk, for `transcribe`; 0 for every other stage. */
  part: number;
  attempt: number;
  code: string;
  message: string;
  /** How often it was tried; null where that is not known. */
  tries: number | null;
  /** ISO 8601. */
  failedAt: string;
}

/** Which failed jobs are meant: all that fit every field given. */
export interface FailedFilter {
  owner?: string;
  lectureId?: string;
  stage?: StageName;
  code?: string;
}

export interface FailedPage {
  /** Newest first. */
  jobs: FailedJob[];
  /** Give it as `cursor` to go on; null at the end. A page may be short, or empty, and still have a next one. */
  nextCursor: string | null;
}

export interface FailedRetry {
  /** What will be done again. */
  retried: FailedJob[];
  /** What was left as it is, with the reason. */
  refused: { job: FailedJob; code: string; message: string }[];
  /** Whether the limit was reached before all had been looked at. */
  more: boolean;
}

export interface FailedReindex {
  /**
   * Says that every record has been noted, and forgets lectures that are no more. Until then nobody takes a part of
   * the index for all of it.
   * @param lectureIds every lecture of the store @returns how many failed jobs there are
   */
  finish(lectureIds: Iterable<string>): Promise<number>;
}

/** The index of failed jobs in Redis. */
export interface FailedIndex {
  /** Notes what the record says of failures; called when a stage has failed, and for every record by a reindex. */
  note(record: LectureRecord): Promise<void>;
  /** Called before the lectures of the store are listed: what is noted from now on may be of a lecture that is new. */
  beginReindex(): Promise<FailedReindex>;
}

/**
 * The jobs that gave up. The truth is the failures in the lectures' records; Redis holds an index of them, newest
 * first, which is made anew from the store whenever Redis has lost it.
 */
export interface FailedJobs extends FailedIndex {
  /** @param query.limit 1 to 100 @throws AppError `invalid_request` for a cursor that is none of ours */
  list(query?: FailedFilter & { cursor?: string; limit?: number }): Promise<FailedPage>;
  /**
   * Does again what fits, newest first, as a user's retry does: a new attempt, nothing reused.
   * @param options.limit at most so many jobs, 1 to 1,000
   */
  retry(filter: FailedFilter, options?: { limit?: number }): Promise<FailedRetry>;
  /** Reads every record of the store and makes the index anew. @returns how many failed jobs there are */
  reindex(): Promise<number>;
}

/** The part of the lecture store that is needed. */
export interface FailedLectures {
  read(lectureId: string): Promise<LectureRecord | null>;
  update(lectureId: string, change: (record: LectureRecord) => LectureRecord): Promise<LectureRecord | null>;
  listAllIds(): Promise<string[]>;
}

const defaultPage = 50;
const maxPage = 100;
/** So many entries are looked at for one page when a filter leaves most of them out. */
const maxScanned = 1_000;
const defaultRetries = 100;
const maxRetries = 1_000;

export function createFailedIndex({ redis, keys }: { redis: Redis; keys: Keys }): FailedIndex {
  return {
    async note(record) {
      const failed = toFailedJobs(record);
      if (failed.length === 0) return;
      await redis.zadd(keys.failed, ...failed.flatMap((job) => [Date.parse(job.failedAt), toMember(job)]));
    },
    async beginReindex() {
      const before = await redis.zrange(keys.failed, '0', '-1');
      return {
        async finish(lectureIds) {
          const known = new Set(lectureIds);
          const gone = before.filter((member) => !known.has(parseMember(member).lectureId));
          if (gone.length > 0) await redis.zrem(keys.failed, ...gone);
          await redis.set(keys.failedComplete, '1');
          return redis.zcard(keys.failed);
        },
      };
    },
  };
}

/** @param deps.submit queues what a lecture needs next, after its record has changed */
export function createFailedJobs(deps: {
  lectures: FailedLectures;
  redis: Redis;
  keys: Keys;
  submit(record: LectureRecord): Promise<unknown>;
}): FailedJobs {
  const { lectures, redis, keys } = deps;

  const { note, beginReindex } = createFailedIndex(deps);

  const reindex = async (): Promise<number> => {
    const index = await beginReindex();
    const lectureIds = await lectures.listAllIds();
    for (const lectureId of lectureIds) {
      const record = await lectures.read(lectureId).catch(() => null);
      if (record) await note(record);
    }
    return index.finish(lectureIds);
  };

  const find = async (member: string): Promise<FailedJob | null> => {
    const { lectureId, stage } = parseMember(member);
    // A record that cannot be read is no reason to hide all the others.
    const record = await lectures.read(lectureId).catch(() => undefined);
    if (record === undefined) return null;
    const job = record ? toFailedJobs(record).find((failed) => failed.stage === stage) : undefined;
    // Retried, deleted or cancelled since: the record counts.
    if (!job) await redis.zrem(keys.failed, member);
    return job ?? null;
  };

  const list: FailedJobs['list'] = async (query = {}) => {
    const { cursor, limit = defaultPage, ...filter } = query;
    const wanted = Math.min(maxPage, Math.max(1, Math.trunc(limit)));
    if ((await redis.exists(keys.failedComplete)) === 0) await reindex();
    const jobs: FailedJob[] = [];
    let last = cursor === undefined ? null : parseCursor(cursor);
    for (let scanned = 0; scanned < maxScanned; ) {
      const entries = await readAfter(redis, keys.failed, last, maxPage);
      for (const entry of entries) {
        last = entry;
        scanned++;
        const { lectureId, stage } = parseMember(entry.member);
        if (filter.lectureId !== undefined && filter.lectureId !== lectureId) continue;
        if (filter.stage !== undefined && filter.stage !== stage) continue;
        const job = await find(entry.member);
        if (!job || !fits(job, filter)) continue;
        jobs.push(job);
        if (jobs.length === wanted) return { jobs, nextCursor: toCursor(entry) };
      }
      if (entries.length < maxPage) return { jobs, nextCursor: null };
    }
    return { jobs, nextCursor: last && toCursor(last) };
  };

  const retryLecture = async (jobs: FailedJob[], result: FailedRetry): Promise<void> => {
    const [first] = jobs;
    if (!first) return;
    try {
      let retried: FailedJob[] = [];
      const record = await lectures.update(first.lectureId, (current) => {
        retried = [];
        if (nextJobs(current, { cutChunks: [], transcribedChunks: [] }).length > 0) {
          throw new AppError('not_ready', 'The lecture is still being worked on; wait until it has ended.');
        }
        let next = current;
        for (const job of jobs) {
          // Asked for again since it was listed, or with a stage before it.
          if (!hasFailed(next, job.stage) || attemptOf(next, job.stage) !== job.attempt) continue;
          next = toRetriedRecord(next, job.stage);
          retried.push(job);
        }
        return next;
      });
      if (!record || retried.length === 0) return;
      await deps.submit(record);
      result.retried.push(...retried);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      result.refused.push(...jobs.map((job) => ({ job, code: error.code, message: error.message })));
    }
  };

  return {
    list,
    async retry(filter, { limit = defaultRetries } = {}) {
      let left = Math.min(maxRetries, Math.max(1, Math.trunc(limit)));
      const result: FailedRetry = { retried: [], refused: [], more: false };
      // All stages of a lecture are asked for at once: after the first of them it would no longer have ended.
      const byLecture = new Map<string, FailedJob[]>();
      let cursor: string | null = null;
      do {
        const page: FailedPage = await list({ ...filter, limit: Math.min(maxPage, left), ...(cursor && { cursor }) });
        for (const job of page.jobs) byLecture.set(job.lectureId, [...(byLecture.get(job.lectureId) ?? []), job]);
        left -= page.jobs.length;
        cursor = page.nextCursor;
      } while (cursor !== null && left > 0);
      result.more = cursor !== null;
      for (const jobs of byLecture.values()) await retryLecture(jobs, result);
      return result;
    },
    note,
    beginReindex,
    reindex,
  };
}

/**
 * The stages of a lecture that gave up in the attempt that counts; none when the lecture was cancelled, or was made for
 * one request, whose answer told it. Pure.
 */
export function toFailedJobs(record: LectureRecord): FailedJob[] {
  if (record.cancelledAt !== null || record.transientUntil !== undefined) return [];
  return stageNames.flatMap((stage) => {
    const failure = record.failures[stage];
    if (!failure || !hasFailed(record, stage)) return [];
    return {
      lectureId: record.id,
      owner: record.owner,
      title: record.title,
      stage,
      part: failure.part ?? 0,
      attempt: failure.attempt,
      code: failure.code,
      message: failure.message,
      tries: failure.tries ?? null,
      failedAt: failure.failedAt,
    };
  });
}

function fits(job: FailedJob, filter: FailedFilter): boolean {
  return (
    (filter.owner === undefined || filter.owner === job.owner) &&
    (filter.code === undefined || filter.code === job.code)
  );
}

interface Entry {
  /** Milliseconds since 1970. */
  failedAtMs: number;
  member: string;
}

/** Newest first; of one moment, in descending order of their names, as Redis keeps them. */
async function readAfter(redis: Redis, key: string, last: Entry | null, limit: number): Promise<Entry[]> {
  const found: Entry[] = [];
  for (let offset = 0; found.length < limit; offset += limit) {
    const max = last === null ? '+inf' : last.failedAtMs;
    const flat = await redis.zrevrangebyscore(key, max, '-inf', 'WITHSCORES', 'LIMIT', offset, limit);
    for (let i = 0; i < flat.length; i += 2) {
      const entry = { member: flat[i] ?? '', failedAtMs: Number(flat[i + 1]) };
      const isSeen = last !== null && entry.failedAtMs === last.failedAtMs && entry.member >= last.member;
      if (!isSeen && found.length < limit) found.push(entry);
    }
    if (flat.length < limit * 2) break;
  }
  return found;
}

function toMember(job: { lectureId: string; stage: StageName }): string {
  return `${job.lectureId}-${job.stage}`;
}

function parseMember(member: string): { lectureId: string; stage: string } {
  const [lectureId = '', stage = ''] = member.split('-');
  return { lectureId, stage };
}

function toCursor(entry: Entry): string {
  return `${entry.failedAtMs}-${entry.member}`;
}

function parseCursor(cursor: string): Entry {
  const [, failedAtMs, member] = /^(\d{1,15})-([0-9a-z]{26}-[a-z]+)$/.exec(cursor) ?? [];
  if (failedAtMs === undefined || member === undefined) {
    throw new AppError('invalid_request', 'cursor: is not one that a page ended with');
  }
  return { failedAtMs: Number(failedAtMs), member };
}
