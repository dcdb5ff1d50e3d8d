import type { Logger } from '@studymate/observability/logger';
import type { ActiveLectures, QueuedLecture } from '@studymate/queue/active';
import type { Advancer } from '@studymate/queue/advance';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';

export interface Submitter {
  /**
   * Queues what a lecture needs next. While Redis is away the lecture is remembered and queued when it is back; if
   * this process ends before, a worker does it at its next start, because the record says what is missing.
   * @returns whether it is queued now
   */
  submit(lecture: QueuedLecture): Promise<boolean>;
  /** How many lectures wait for Redis to come back: all, or an owner's. */
  countWaiting(owner?: string): number;
  close(): void;
}

/** A Redis that hung, or had no room, comes back without a new connection. */
const retryIntervalMs = 5_000;
/** More than this are left to the workers. */
const maxWaiting = 10_000;

export function createSubmitter(deps: {
  advancer: Advancer;
  active: ActiveLectures;
  redis: Redis;
  logger: Logger;
}): Submitter {
  const { advancer, active, redis, logger } = deps;
  const waiting = new Map<string, QueuedLecture>();
  let draining = false;

  const queue = (lecture: QueuedLecture) =>
    withRedis(async () => {
      await active.add(lecture);
      await advancer.advance(lecture.id);
    }, 5_000);

  const drain = async () => {
    if (draining || waiting.size === 0) return;
    draining = true;
    try {
      for (const [lectureId, lecture] of waiting) {
        await queue(lecture);
        waiting.delete(lectureId);
        logger.info({ lectureId }, 'lecture queued now that Redis is back');
      }
    } catch (error) {
      // The next try goes on from here.
      logger.warn({ err: error, waiting: waiting.size }, 'lectures still wait to be queued');
    } finally {
      draining = false;
    }
  };
  redis.on('ready', drain);
  const timer = setInterval(drain, retryIntervalMs);
  timer.unref();

  return {
    async submit({ id, owner, durationSeconds, media }) {
      const lecture = { id, owner, durationSeconds, media };
      try {
        await withRedis(() => active.add(lecture));
        await queue(lecture);
        return true;
      } catch (error) {
        if (waiting.size < maxWaiting) waiting.set(id, lecture);
        logger.error({ err: error, lectureId: id }, 'the lecture is kept but could not be queued yet');
        return false;
      }
    },
    countWaiting(owner) {
      if (owner === undefined) return waiting.size;
      return [...waiting.values()].filter((lecture) => lecture.owner === owner).length;
    },
    close() {
      redis.off('ready', drain);
      clearInterval(timer);
    },
  };
}
