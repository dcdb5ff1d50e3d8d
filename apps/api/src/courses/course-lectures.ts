import { randomUUID } from 'node:crypto';
import type { Keys } from '@studymate/queue/keys';
import { withRedis } from '@studymate/queue/redis';
import { inBatches } from '@studymate/storage/in-batches';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { Redis } from 'ioredis';
import { createTurns } from '../turns.ts';

/**
 * Which of an owner's lectures are in a course. Only their records tell; they are read once, and after that those of new
 * lectures alone, until one is put into another course. A token in Redis tells all copies of the API of that.
 */
export interface CourseLectures {
  /** All ids, newest first, and perhaps some of lectures that have left: whoever shows one looks at its record. */
  listIds(owner: string, courseId: string): Promise<string[]>;
  /** To be called when one of the owner's lectures was put into another course. */
  noteMove(owner: string): Promise<void>;
}

interface Known {
  /** As it was before the records were read. */
  token: string | null;
  readAtMs: number;
  lectureIds: Set<string>;
  byCourse: Map<string, Set<string>>;
}

/** Should a process die between a move and its token, or Redis be away then. */
const maxAgeMs = 600_000;
/** Of all owners together, some 10 MB. */
const maxKnownLectures = 100_000;
const tokenTtlSeconds = 86_400;
const timeoutMs = 250;

export function createCourseLectures(deps: {
  lectures: Pick<LectureStore, 'listIds' | 'read'>;
  redis: Redis;
  keys: Keys;
  now?: () => number;
}): CourseLectures {
  const { lectures, redis, keys, now = () => performance.now() } = deps;
  /** By owner, the least recently asked for first. */
  const known = new Map<string, Known>();
  /** Who asks while the records are being read waits for that. */
  const turns = createTurns();

  /** @returns null while Redis cannot say: then nothing that is known counts */
  const readToken = (owner: string): Promise<string | null> =>
    withRedis(async () => {
      const key = keys.courseMoves(owner);
      const found = await redis.get(key);
      if (found !== null) return found;
      // One that Redis has lost must not look like one that never was.
      await redis.set(key, randomUUID(), 'EX', tokenTtlSeconds, 'NX');
      return redis.get(key);
    }, timeoutMs).catch(() => null);

  const keep = (owner: string, its: Known): void => {
    known.delete(owner);
    known.set(owner, its);
    let count = 0;
    for (const { lectureIds } of known.values()) count += lectureIds.size;
    for (const [other, { lectureIds }] of known) {
      if (count <= maxKnownLectures) break;
      known.delete(other);
      count -= lectureIds.size;
    }
  };

  const look = async (owner: string, courseId: string): Promise<string[]> => {
    const token = await readToken(owner);
    const before = known.get(owner);
    const isValid = token !== null && before?.token === token && now() - before.readAtMs < maxAgeMs;
    const its = isValid ? before : { token, readAtMs: now(), lectureIds: new Set<string>(), byCourse: new Map() };
    const ids = await lectures.listIds(owner, { limit: Number.POSITIVE_INFINITY });
    const unknown = ids.filter((id) => !its.lectureIds.has(id));
    const records = await inBatches(unknown, (id) => readUnlessDamaged(lectures, id));
    for (const record of records) {
      // One that cannot be read now, or is just being written, is looked at again.
      if (!record) continue;
      its.lectureIds.add(record.id);
      if (record.courseId === null) continue;
      const inCourse = its.byCourse.get(record.courseId) ?? new Set<string>();
      its.byCourse.set(record.courseId, inCourse.add(record.id));
    }
    if (token !== null) keep(owner, its);
    const inCourse = its.byCourse.get(courseId);
    return ids.filter((id) => inCourse?.has(id));
  };

  return {
    listIds: (owner, courseId) => turns.take(owner, () => look(owner, courseId)),
    async noteMove(owner) {
      known.delete(owner);
      await withRedis(() => redis.set(keys.courseMoves(owner), randomUUID(), 'EX', tokenTtlSeconds)).catch(() => {});
    },
  };
}
