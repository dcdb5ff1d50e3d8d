import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';

/** Counts requests within windows of a minute, over all copies of the API. */
export interface RateCounter {
  readonly limit: number;
  /** @returns null when it cannot be counted, because Redis is away: then nobody is refused */
  count(key: string): Promise<RateCount | null>;
}

export interface RateCount {
  isOver: boolean;
  remaining: number;
  /** Until the window ends. */
  resetSeconds: number;
}

/** Also the longest Retry-After that clients honour (the OpenAI SDKs). */
export const rateWindowSeconds = 60;
/** A Redis that is there answers within a few. */
const timeoutMs = 200;
/** After a Redis that did not answer it is not asked again for so long: not each request shall wait for it. */
const restMs = 5_000;

export function createRateCounter(deps: {
  redis: Redis;
  keyPrefix: string;
  limit: number;
  now?: () => number;
}): RateCounter {
  const { limit, now = () => performance.now() } = deps;
  const limiter = new RateLimiterRedis({
    storeClient: deps.redis,
    keyPrefix: deps.keyPrefix,
    points: limit,
    duration: rateWindowSeconds,
    rejectIfRedisNotReady: true,
    // Who is over the limit is refused from memory for the rest of the window.
    inMemoryBlockOnConsumed: limit + 1,
  });
  let restsUntilMs = Number.NEGATIVE_INFINITY;

  /** What is over the limit is thrown by the library, as are the errors of Redis. */
  const consume = async (key: string): Promise<RateCount> => {
    const { isOver, result } = await limiter.consume(key).then(
      (result) => ({ isOver: false, result }),
      (refusal: unknown) => {
        if (refusal instanceof Error) throw refusal;
        return { isOver: true, result: refusal as RateLimiterRes };
      },
    );
    const resetSeconds = Math.min(rateWindowSeconds, Math.max(1, Math.ceil(result.msBeforeNext / 1000)));
    return { isOver, remaining: result.remainingPoints, resetSeconds };
  };

  return {
    limit,
    async count(key) {
      if (deps.redis.status !== 'ready' || now() < restsUntilMs) return null;
      try {
        return await withRedis(() => consume(key), timeoutMs);
      } catch {
        restsUntilMs = now() + restMs;
        return null;
      }
    },
  };
}
