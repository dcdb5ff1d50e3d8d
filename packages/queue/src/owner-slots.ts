import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { withRedis } from './redis.ts';

/** How many short requests an owner has waiting, over all copies of the API. */
export interface OwnerSlots {
  /**
   * @returns what gives the slot back, or null when the owner has as many as may be
   * @throws AppError `queue_unavailable`; should Redis have given a slot after that, it ends by itself
   */
  take(owner: string, limit: number): Promise<(() => Promise<void>) | null>;
}

/** A copy that died in the middle holds a slot for so long; a living one renews it. */
const defaultTtlMs = 20_000;

/** KEYS: slots. ARGV: limit, id, time to live in ms. Redis's own clock counts: those of the copies may differ. */
const takeScript = `
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], nowMs + ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;

/** KEYS: slots. ARGV: id, time to live in ms. Also after Redis has lost it. */
const renewScript = `
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;

export function createOwnerSlots(deps: {
  redis: Pick<Redis, 'eval' | 'zrem'>;
  keys: Keys;
  ttlMs?: number;
}): OwnerSlots {
  const { redis, keys, ttlMs = defaultTtlMs } = deps;
  return {
    async take(owner, limit) {
      const key = keys.waitingRequests(owner);
      const id = randomUUID();
      // Given up in here: a slot that comes too late must not be renewed.
      const taken = await withRedis(() => redis.eval(takeScript, 1, key, limit, id, ttlMs));
      if (taken !== 1) return null;
      const renew = () => {
        // While Redis is away nobody is let in either.
        withRedis(() => redis.eval(renewScript, 1, key, id, ttlMs)).catch(() => {});
      };
      const timer = setInterval(renew, ttlMs / 4).unref();
      return async () => {
        clearInterval(timer);
        // Comes after a renewal that is under way: one connection keeps the order.
        await redis.zrem(key, id);
      };
    },
  };
}
