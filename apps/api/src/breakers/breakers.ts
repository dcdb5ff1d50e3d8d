import type { Breaker, BreakerDeps } from '@studymate/breaker/breaker';
import { createReportedBreaker } from '@studymate/breaker/reported-breaker';
import type { Config } from '@studymate/config/config';
import { AppError, type ErrorCode } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Keys } from '@studymate/queue/keys';
import type { BlobStore } from '@studymate/storage/blob-store';
import type { Redis } from 'ioredis';

/** One for each thing outside the process that a request may have to wait for in vain. */
export interface Breakers {
  /** Round what short requests ask of Redis and the workers. */
  queue: Breaker;
  store: Breaker;
  /** Round the server that writes summaries. */
  languageModel: Breaker;
  close(): void;
}

const probeSeconds = 60;

/** Asks Redis for a write that harms nothing: one that is full, read-only or cannot save would answer a ping. */
export function probeQueue({ redis, keys }: { redis: Redis; keys: Keys }): Promise<unknown> {
  return redis.set(keys.probe, '1', 'EX', probeSeconds);
}

export function createBreakers(deps: {
  config: Config['breakers'];
  logger: Logger;
  metrics: Metrics;
  redis: Redis;
  keys: Keys;
  blobs: Pick<BlobStore, 'check'>;
}): Breakers {
  const { config, logger, metrics, blobs } = deps;
  const make = (dependency: string, own: Pick<BreakerDeps, 'isFailure' | 'toRefusal' | 'probe'>): Breaker =>
    createReportedBreaker(dependency, { ...config, ...own, logger, metrics });
  const has = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code;
  const refuse = (code: ErrorCode, message: string) => (retryAfterSeconds: number) =>
    new AppError(code, message, { details: { retryAfterSeconds } });

  const all = {
    queue: make('queue', {
      isFailure: has('queue_unavailable'),
      toRefusal: refuse('queue_unavailable', 'Redis has not answered several times; it is asked again in a moment.'),
      probe: () => probeQueue(deps),
    }),
    store: make('store', {
      isFailure: has('storage_unavailable'),
      toRefusal: refuse('storage_unavailable', 'The store has failed several times; it is asked again in a moment.'),
      probe: () => blobs.check(),
    }),
    languageModel: make('language_model', {
      // Whatever it was. An answer that is of no use ends no call with an error: it may be the text's fault, and one owner's
      // texts must not switch it off for all.
      isFailure: () => true,
      toRefusal: refuse('unavailable', 'The language model has failed several times.'),
    }),
  };
  return {
    ...all,
    close() {
      for (const breaker of Object.values(all)) breaker.close();
    },
  };
}
