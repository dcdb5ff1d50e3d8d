import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** An answer in the pieces in which it was given. */
export interface CacheEntry {
  pieces: unknown[];
  /** A stale one is given only while a fresh one cannot be had. */
  isFresh: boolean;
}

export interface CacheKey {
  /** Of the answer. */
  entry: string;
  /** Held by the API copy that is making it. */
  lock: string;
}

/** What is kept of answers in Redis, and who is making one. Nothing here ever throws: without a cache all is computed. */
export interface CacheStore {
  toKey(kind: string, what: unknown): CacheKey;
  /** @returns null also when the cache cannot be reached, or holds something else */
  read(key: CacheKey): Promise<CacheEntry | null>;
  /** Does nothing when the answer is very large. */
  write(key: CacheKey, pieces: readonly unknown[], freshSeconds: number): Promise<void>;
  /** @returns what gives the lock back, or null when another copy has it. While the cache is away everyone gets one. */
  lock(key: CacheKey): Promise<(() => Promise<void>) | null>;
  /** Waits until there is a fresh entry, or nobody makes one any more. */
  waitFor(key: CacheKey, signal: AbortSignal): Promise<CacheEntry | null>;
}

/** Another form of the entries takes the next number. */
const cacheVersion = 2;
const maxEntryBytes = 256 * 1024;
/** A cache that takes longer than this is no help. */
const timeoutMs = 500;
/** After a cache that did not answer it is not asked again for so long: not each request shall wait for it. */
const restMs = 5_000;
/** A stale answer is kept for as long again, for when the fresh one cannot be made. */
const keptFactor = 2;
/** Longer than a process is ever held up; a copy that dies holds up the others for so long. */
const lockMs = 10_000;
const renewMs = 3_000;
const pollMs = { first: 25, most: 250 };
const unlockScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

const entrySchema = z.object({ freshUntilMs: z.number(), pieces: z.array(z.unknown()) });

/** @param deps.redis of kind `producer` */
export function createCacheStore(deps: { redis: Redis; prefix: string; onError(error: unknown): void }): CacheStore {
  const { redis, prefix } = deps;
  let restsUntilMs = Number.NEGATIVE_INFINITY;

  /** @returns undefined when the cache cannot be reached */
  const ask = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (performance.now() < restsUntilMs) return undefined;
    try {
      return await withRedis(work, timeoutMs);
    } catch (error) {
      restsUntilMs = performance.now() + restMs;
      deps.onError(error);
      return undefined;
    }
  };
  const parse = (text: string | null | undefined): CacheEntry | null => {
    if (text === null || text === undefined) return null;
    try {
      const { freshUntilMs, pieces } = entrySchema.parse(JSON.parse(text));
      return { pieces, isFresh: Date.now() < freshUntilMs };
    } catch (error) {
      deps.onError(error);
      return null;
    }
  };

  return {
    toKey(kind, what) {
      const hash = createHash('sha256')
        .update(JSON.stringify([cacheVersion, kind, what]))
        .digest('base64url');
      return { entry: `${prefix}:cache:${kind}:${hash}`, lock: `${prefix}:cache-lock:${hash}` };
    },
    read: async (key) => parse(await ask(() => redis.get(key.entry))),
    async write(key, pieces, freshSeconds) {
      const text = JSON.stringify({ freshUntilMs: Date.now() + freshSeconds * 1000, pieces });
      if (Buffer.byteLength(text) > maxEntryBytes) return;
      await ask(() => redis.set(key.entry, text, 'EX', freshSeconds * keptFactor));
    },
    async lock(key) {
      const token = randomUUID();
      const taken = await ask(() => redis.set(key.lock, token, 'PX', lockMs, 'NX'));
      if (taken === null) return null;
      if (taken === undefined) return async () => {};
      const timer = setInterval(() => ask(() => redis.pexpire(key.lock, lockMs)), renewMs);
      timer.unref();
      return async () => {
        clearInterval(timer);
        await ask(() => redis.eval(unlockScript, 1, key.lock, token));
      };
    },
    async waitFor(key, signal) {
      for (let waitMs = pollMs.first; !signal.aborted; waitMs = Math.min(pollMs.most, waitMs * 2)) {
        await delay(waitMs, undefined, { signal }).catch(() => {});
        const found = await ask(() => redis.mget(key.entry, key.lock));
        const entry = parse(found?.[0]);
        if (entry?.isFresh) return entry;
        if (!found?.[1]) return null;
      }
      return null;
    },
  };
}
