import { AppError } from '@studymate/contracts/errors';
import { Redis } from 'ioredis';

/** Connections differ in what they do while Redis is away: a request must fail soon, a worker must wait. */
export type ConnectionKind = 'producer' | 'consumer';

export interface RedisOptions {
  url: string;
  kind: ConnectionKind;
  onError(error: Error): void;
}

export function createRedis({ url, kind, onError }: RedisOptions): Redis {
  const redis = new Redis(url, {
    // BullMQ's blocking consumers must wait for as long as it takes; producers must not hang a request.
    maxRetriesPerRequest: kind === 'consumer' ? null : 1,
    enableOfflineQueue: kind === 'consumer',
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    lazyConnect: false,
  });
  // Without a listener a lost connection would end the process; ioredis reconnects by itself.
  redis.on('error', onError);
  return redis;
}

/** No timer of a process that has time is as late as that. */
const heldUpMs = 50;

/**
 * Runs a command that a caller waits for; fails with `queue_unavailable` when Redis does not answer in time
 * (a BullMQ producer made while Redis is down hangs for more than 8 s otherwise). Where this process itself was held up
 * over the end of that time, the answer may lie there unread: it gets the same time once more.
 */
export async function withRedis<T>(work: () => Promise<T>, timeoutMs = 1_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`));
    const dueMs = performance.now() + timeoutMs;
    timer = setTimeout(() => {
      if (performance.now() - dueMs < heldUpMs) giveUp();
      else timer = setTimeout(giveUp, timeoutMs);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), timeout]);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('queue_unavailable', 'Redis cannot be reached at the moment.', {
      cause: error,
      details: { retryAfterSeconds: 2 },
    });
  } finally {
    clearTimeout(timer);
  }
}
