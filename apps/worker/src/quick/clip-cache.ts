import { createHash } from 'node:crypto';
import { type TranscribeResponse, transcribeResponseSchema } from '@studymate/contracts/requests';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import { withRedis } from '@studymate/queue/redis';
import type { Redis } from 'ioredis';

type ClipJob = Extract<QuickJobData, { kind: 'transcribe' }>;

/** Answers to clips, for when the same clip comes again: of the same owner, with the same request and the same weights. */
export interface ClipCache {
  /** @returns a name for the answer, or null when none is kept: the request does not want it, or keeping is off */
  toKey(job: ClipJob, bytes: Uint8Array, algorithm: string): string | null;
  /** @returns null also when the cache cannot be reached, or when what it holds is no answer */
  read(key: string): Promise<TranscribeResponse | null>;
  /** Does nothing when the cache cannot be reached, or when the answer is very large. */
  write(key: string, answer: TranscribeResponse): Promise<void>;
}

export interface ClipCacheDeps {
  /** Of kind `producer`: a request waits for it. */
  redis: Redis;
  prefix: string;
  /** How long an answer is kept; 0 keeps none. */
  ttlSeconds: number;
  onError(error: unknown): void;
}

/** Another form of the answers, or another way to make them from the same weights, takes the next number. */
const cacheVersion = 1;
/** A minute of fast speech has about 20 KB. */
const maxEntryBytes = 128 * 1024;
/** A cache that takes longer than this is no help. */
const cacheTimeoutMs = 1_000;

export function createClipCache({ redis, prefix, ttlSeconds, onError }: ClipCacheDeps): ClipCache {
  return {
    toKey({ clipKey: _, keep, ...request }, bytes, algorithm) {
      if (!keep || ttlSeconds === 0) return null;
      const what = JSON.stringify([cacheVersion, keep.owner, algorithm, request]);
      return `${prefix}:clip:${createHash('sha256').update(what).update('\n').update(bytes).digest('base64url')}`;
    },
    async read(key) {
      try {
        const text = await withRedis(() => redis.get(key), cacheTimeoutMs);
        if (text === null) return null;
        const answer = transcribeResponseSchema.parse(JSON.parse(text));
        const { decodeMethod } = answer.timings;
        const nothing = { decodeSeconds: 0, modelLoadSeconds: 0, inferenceSeconds: 0, cold: false };
        return { ...answer, timings: { ...nothing, decodeMethod, cached: true } };
      } catch (error) {
        onError(error);
        return null;
      }
    },
    async write(key, answer) {
      const text = JSON.stringify(answer);
      if (Buffer.byteLength(text) > maxEntryBytes) return;
      await withRedis(() => redis.set(key, text, 'EX', ttlSeconds), cacheTimeoutMs).catch(onError);
    },
  };
}
