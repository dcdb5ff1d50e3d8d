import type { ModelFamily } from '@studymate/contracts/models';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/** How often a model family was used, by hours since 1970. Hours without a use are missing. */
export type HourlyUses = ReadonlyMap<number, number>;

/** What all workers together were asked for in the last eight days. */
export interface DemandHistory {
  add(family: ModelFamily, uses: HourlyUses): Promise<void>;
  /** Also forgets what is older. */
  read(family: ModelFamily, nowMs: number): Promise<HourlyUses>;
}

export const hourMs = 3_600_000;
/** A week, and the day that is not over. */
const keptHours = 8 * 24;

export function createDemandHistory(deps: { redis: Redis; keys: Keys }): DemandHistory {
  const { redis, keys } = deps;
  return {
    async add(family, uses) {
      if (uses.size === 0) return;
      const key = keys.demand(family);
      const commands = redis.multi();
      for (const [hour, count] of uses) commands.hincrby(key, String(hour), count);
      await commands.expire(key, (keptHours + 24) * 3_600).exec();
    },
    async read(family, nowMs) {
      const key = keys.demand(family);
      const all = Object.entries(await redis.hgetall(key)).map(
        ([hour, count]) => [Number(hour), Number(count)] as const,
      );
      const oldest = Math.floor(nowMs / hourMs) - keptHours;
      const old = all.filter(([hour]) => !(hour >= oldest)).map(([hour]) => String(hour));
      if (old.length > 0) await redis.hdel(key, ...old);
      return new Map(all.filter(([hour]) => hour >= oldest));
    },
  };
}
