import { createHash } from 'node:crypto';
import type { SummarizeRequest } from '@studymate/contracts/requests';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** Streamed summaries, for when the same text comes again from the same owner. */
export interface SummaryCache {
  /** @param algorithm what makes the summary; another one has other answers */
  toKey(owner: string, request: SummarizeRequest, algorithm: string): string;
  /** The pieces in order; null also when the cache cannot be reached or is off. */
  read(key: string): Promise<string[] | null>;
  /** Does nothing when the cache cannot be reached or is off, or when the summary is very long. */
  write(key: string, pieces: readonly string[]): Promise<void>;
}

/** Another form of the answers takes the next number. */
const cacheVersion = 1;
const maxEntryBytes = 256 * 1024;
/** A cache that takes longer than this is no help. */
const cacheTimeoutMs = 500;
const entrySchema = z.array(z.string());

/** @param deps.ttlSeconds how long a summary is kept; 0 keeps none */
export function createSummaryCache(deps: {
  redis: Redis;
  prefix: string;
  ttlSeconds: number;
  onError(error: unknown): void;
}): SummaryCache {
  const { redis, prefix, ttlSeconds, onError } = deps;
  return {
    toKey(owner, { text, maxSentences }, algorithm) {
      const what = JSON.stringify([cacheVersion, owner, algorithm, maxSentences ?? null]);
      return `${prefix}:summary:${createHash('sha256').update(what).update('\n').update(text).digest('base64url')}`;
    },
    async read(key) {
      if (ttlSeconds === 0) return null;
      try {
        const text = await withRedis(() => redis.get(key), cacheTimeoutMs);
        return text === null ? null : entrySchema.parse(JSON.parse(text));
      } catch (error) {
        onError(error);
        return null;
      }
    },
    async write(key, pieces) {
      const text = JSON.stringify(pieces);
      if (ttlSeconds === 0 || Buffer.byteLength(text) > maxEntryBytes) return;
      await withRedis(() => redis.set(key, text, 'EX', ttlSeconds), cacheTimeoutMs).catch(onError);
    },
  };
}
