import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type AppError, fromPlainError, isErrorCode, toPlainError } from '@studymate/contracts/errors';
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
  /** Why it could not be made a moment ago. */
  failure: string;
  /** What its pieces must be. */
  pieces: z.ZodType<unknown[]>;
}

/** What is kept of answers in Redis, and who is making one. Nothing here ever throws: without a cache all is computed. */
export interface CacheStore {
  toKey(kind: string, what: unknown, pieces: CacheKey['pieces']): CacheKey;
  /** @returns null also when the cache cannot be reached, or holds something else: another version may have written it */
  read(key: CacheKey): Promise<CacheEntry | null>;
  /** Does nothing when the answer is very large. */
  write(key: CacheKey, pieces: readonly unknown[], freshSeconds: number): Promise<void>;
  /** @returns what gives the lock back, or null when another copy has it. While the cache is away everyone gets one. */
  lock(key: CacheKey): Promise<(() => Promise<void>) | null>;
  /** Tells those who wait at other copies why there will be no answer. To be called while the lock is held. */
  fail(key: CacheKey, error: AppError): Promise<void>;
  /** Waits until there is a fresh entry, or nobody makes one any more. @returns an error when it could not be made */
  waitFor(key: CacheKey, signal: AbortSignal): Promise<CacheEntry | AppError | null>;
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
const defaultLockMs = 10_000;
const defaultRenewMs = 3_000;
const pollMs = { first: 25, most: 250 };
/** Longer than anyone who waits looks away. Who comes later has it tried again. */
const failureMs = 1_000;
const renewScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";
const unlockScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

const entrySchema = z.object({ freshUntilMs: z.number(), pieces: z.unknown() });
const failureSchema = z.object({
  code: z.string().refine(isErrorCode),
  message: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** @param deps.redis of kind `producer` */
export function createCacheStore(deps: {
  redis: Redis;
  prefix: string;
  onError(error: unknown): void;
  lockMs?: number;
  renewMs?: number;
}): CacheStore {
  const { redis, prefix, lockMs = defaultLockMs, renewMs = defaultRenewMs } = deps;
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
  const parse = <T>(text: string | null | undefined, toValue: (json: unknown) => T): T | null => {
    if (text === null || text === undefined) return null;
    try {
      return toValue(JSON.parse(text));
    } catch (error) {
      deps.onError(error);
      return null;
    }
  };
  const parseEntry = (key: CacheKey, text: string | null | undefined): CacheEntry | null =>
    parse(text, (json) => {
      const { freshUntilMs, pieces } = entrySchema.parse(json);
      return { pieces: key.pieces.parse(pieces), isFresh: Date.now() < freshUntilMs };
    });

  return {
    toKey(kind, what, pieces) {
      const hash = createHash('sha256')
        .update(JSON.stringify([cacheVersion, kind, what]))
        .digest('base64url');
      const lock = `${prefix}:cache-lock:${hash}`;
      return { entry: `${prefix}:cache:${kind}:${hash}`, lock, failure: `${prefix}:cache-failure:${hash}`, pieces };
    },
    read: async (key) => parseEntry(key, await ask(() => redis.get(key.entry))),
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
      // Should this process have been held up for so long that another copy has it now, it stays theirs.
      const timer = setInterval(() => ask(() => redis.eval(renewScript, 1, key.lock, token, lockMs)), renewMs);
      timer.unref();
      return async () => {
        clearInterval(timer);
        await ask(() => redis.eval(unlockScript, 1, key.lock, token));
      };
    },
    async fail(key, error) {
      await ask(() => redis.set(key.failure, JSON.stringify(toPlainError(error)), 'PX', failureMs));
    },
    async waitFor(key, signal) {
      for (let waitMs = pollMs.first; !signal.aborted; waitMs = Math.min(pollMs.most, waitMs * 2)) {
        await delay(waitMs, undefined, { signal }).catch(() => {});
        const found = await ask(() => redis.mget(key.entry, key.lock, key.failure));
        const entry = parseEntry(key, found?.[0]);
        if (entry?.isFresh) return entry;
        const failure = parse(found?.[2], (json) => fromPlainError(failureSchema.parse(json)));
        if (failure) return failure;
        if (!found?.[1]) return null;
      }
      return null;
    },
  };
}
