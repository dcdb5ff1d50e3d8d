import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { toDurationSeconds } from './work.ts';

/** A lecture that is not finished, with what others have to wait for because of it. */
export interface ActiveLecture {
  id: string;
  owner: string;
  /** What is left to do of it, in seconds of sound. */
  leftSeconds: number;
  /** Whether a worker has begun with it. */
  hasBegun: boolean;
}

/** What of a record the queue must know. */
export type QueuedLecture = Pick<LectureRecord, 'id' | 'owner' | 'durationSeconds' | 'media'>;

/** The lectures that are not finished. In Redis, and made anew from the store when Redis has lost it. */
export interface ActiveLectures {
  /**
   * Does nothing for a lecture that is on the list.
   * @param queuedAtMs its place in the order; now, unless the list is made anew
   */
  add(record: QueuedLecture, queuedAtMs?: number): Promise<void>;
  /** Tells what is left to do; ignored for a lecture that is not on the list. */
  setLeft(lectureId: string, leftSeconds: number): Promise<void>;
  /** Nobody has to wait for it any more (it was cancelled), but its end has not been told. */
  release(lectureId: string): Promise<void>;
  remove(lectureId: string): Promise<void>;
  /** All ids, also of those released, in the order in which they were queued. */
  list(): Promise<string[]>;
  /** All but those released, in the order in which they were queued. */
  read(): Promise<ActiveLecture[]>;
}

/** KEYS: work, left. ARGV: lecture, seconds. */
const setLeftScript = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
return redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
`;

export function createActiveLectures(deps: { redis: Redis; keys: Keys }): ActiveLectures {
  const { redis, keys } = deps;
  return {
    async add(record, queuedAtMs = Date.now()) {
      const work = JSON.stringify([record.owner, Math.round(toDurationSeconds(record))]);
      await redis.multi().zadd(keys.active, 'NX', queuedAtMs, record.id).hsetnx(keys.work, record.id, work).exec();
    },
    async setLeft(lectureId, leftSeconds) {
      await redis.eval(setLeftScript, 2, keys.work, keys.left, lectureId, leftSeconds.toFixed(1));
    },
    async release(lectureId) {
      await redis.multi().hdel(keys.work, lectureId).hdel(keys.left, lectureId).exec();
    },
    async remove(lectureId) {
      await redis.multi().zrem(keys.active, lectureId).hdel(keys.work, lectureId).hdel(keys.left, lectureId).exec();
    },
    list: () => redis.zrange(keys.active, '0', '-1'),
    async read() {
      const [ids, work, left] = await Promise.all([
        redis.zrange(keys.active, '0', '-1'),
        redis.hgetall(keys.work),
        redis.hgetall(keys.left),
      ]);
      return ids.flatMap((id) => {
        const text = work[id];
        if (text === undefined) return [];
        const [owner, seconds] = JSON.parse(text) as [string, number];
        const begun = left[id];
        return { id, owner, leftSeconds: begun === undefined ? seconds : Number(begun), hasBegun: begun !== undefined };
      });
    },
  };
}
