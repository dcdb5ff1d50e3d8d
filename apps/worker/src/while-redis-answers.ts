import { setTimeout as delay } from 'node:timers/promises';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';

const pingTimeoutMs = 1_000;
const pingEveryMs = 250;
/** A worker that stops has little time; a Redis that has not answered for two seconds is not worth it. */
const maxMisses = 2;

/**
 * Waits for work that needs Redis, as long as Redis answers: a stopping worker hands its jobs back, which nobody can
 * without Redis. The jobs are then taken by another worker when their locks have run out.
 *
 * @returns whether the work was done
 * @throws what the work throws
 */
export async function whileRedisAnswers(redis: Redis, work: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const done = work
    .then(() => true)
    .finally(() => {
      isOver = true;
    });
  const watch = async (): Promise<boolean> => {
    for (let misses = 0; !isOver && misses < maxMisses; ) {
      misses = await withRedis(() => redis.ping(), pingTimeoutMs).then(
        () => 0,
        () => misses + 1,
      );
      if (!isOver) await delay(pingEveryMs);
    }
    return false;
  };
  // When the watch ends because the work is over, the work has the word.
  return await Promise.race([done, watch().then(() => (isOver ? done : false))]);
}
