import { randomUUID } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { withRedis } from './redis.ts';

/** At most one holder of each upload, over all copies of the API. */
export interface UploadLocks {
  /**
   * Waits for the lock; whoever holds it is asked to give way.
   * @param options.onWanted somebody else wants it: called once, soon after the lock was got or much later
   * @throws AppError `upload_locked` when the holder does not give way or `signal` is aborted first,
   *   `queue_unavailable` while Redis is away
   */
  acquire(uploadId: string, options: { signal: AbortSignal; onWanted(): void }): Promise<UploadLock>;
  close(): void;
}

export interface UploadLock {
  /** Fires when the lock was lost: another may have it by now. */
  lost: AbortSignal;
  /** Whether it is certain that nobody else has it. To be asked before each write: a process may sleep at any point. */
  isHeld(): boolean;
  /** Does nothing for a lock that is another's by now. */
  release(): Promise<void>;
}

/** So long a dead holder is in the way. */
const defaultTtlMs = 10_000;
/** Of its time, before its end: for a write that has been begun. */
const marginShare = 0.1;
/** Longer than the time to live, so that nobody is refused because a holder has died. */
const defaultWaitMs = 12_000;
const lookEveryMs = 100;
/** Of one upload in one copy of the API: each looks again and again. A client sends one request after the other. */
const maxWaiting = 4;

/** KEYS: lock. ARGV: token, time to live, channel, upload. Takes it, or asks its holder to give way. */
const acquireScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 0
`;
/** KEYS: lock. ARGV: token, time to live. */
const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
/** KEYS: lock. ARGV: token. */
const releaseScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/**
 * A lock in Redis with a token and an expiry, renewed while it is held
 * (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/, one instance). Redis forgets it when it loses
 * its data, so the holder also knows by its own clock until when it is certain to have it.
 * @param deps.redis a connection that fails at once while Redis is away
 * @param deps.subscriber a connection of its own
 */
export function createUploadLocks(deps: {
  redis: Redis;
  subscriber: Redis;
  keys: Keys;
  ttlMs?: number;
  waitMs?: number;
}): UploadLocks {
  const { redis, subscriber, keys, ttlMs = defaultTtlMs, waitMs = defaultWaitMs } = deps;
  const waiting = new Map<string, number>();
  const held = new Map<string, { wanted(): void; stop(): void }>();

  const subscribe = () => {
    subscriber.subscribe(keys.uploadWanted).catch(() => {});
  };
  const onMessage = (channel: string, uploadId: string) => {
    if (channel === keys.uploadWanted) held.get(uploadId)?.wanted();
  };
  // ioredis subscribes anew after a reconnect. A message that is missed comes again as long as somebody waits.
  subscriber.on('ready', subscribe).on('message', onMessage);
  if (subscriber.status === 'ready') subscribe();

  function hold(uploadId: string, token: string, fromMs: number, onWanted: () => void): UploadLock {
    const key = keys.uploadLock(uploadId);
    const lost = new AbortController();
    let untilMs = fromMs + ttlMs;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    let isWanted = false;

    const stop = () => {
      isOver = true;
      clearTimeout(timer);
      if (held.get(uploadId) === entry) held.delete(uploadId);
    };
    const lose = () => {
      if (isOver) return;
      stop();
      lost.abort();
    };
    const entry = {
      stop,
      wanted() {
        if (isWanted) return;
        isWanted = true;
        onWanted();
      },
    };
    const renew = async () => {
      const nowMs = performance.now();
      try {
        const isOurs = await withRedis(() => redis.eval(renewScript, 1, key, token, ttlMs), ttlMs / 4);
        if (isOurs !== 1) lose();
        else untilMs = nowMs + ttlMs;
      } catch {
        // Away: looked again until the time is over.
      }
      if (performance.now() > untilMs - marginShare * ttlMs) lose();
      if (!isOver) timer = setTimeout(renew, ttlMs / 4).unref();
    };
    timer = setTimeout(renew, ttlMs / 4).unref();
    held.set(uploadId, entry);
    return {
      lost: lost.signal,
      isHeld: () => !isOver && performance.now() < untilMs - marginShare * ttlMs,
      async release() {
        stop();
        // What cannot be released now ends by itself.
        await withRedis(() => redis.eval(releaseScript, 1, key, token)).catch(() => {});
      },
    };
  }

  /** @returns a function that gives the place back */
  const takePlace = (uploadId: string): (() => void) => {
    const others = waiting.get(uploadId) ?? 0;
    if (others >= maxWaiting) throw locked();
    waiting.set(uploadId, others + 1);
    return () => {
      const left = (waiting.get(uploadId) ?? 1) - 1;
      if (left > 0) waiting.set(uploadId, left);
      else waiting.delete(uploadId);
    };
  };

  return {
    async acquire(uploadId, { signal, onWanted }) {
      const token = randomUUID();
      const endMs = performance.now() + waitMs;
      let leavePlace: (() => void) | undefined;
      try {
        for (;;) {
          if (signal.aborted) throw locked();
          const nowMs = performance.now();
          const args = [token, ttlMs, keys.uploadWanted, uploadId];
          const isOurs = await withRedis(() => redis.eval(acquireScript, 1, keys.uploadLock(uploadId), ...args));
          if (isOurs === 1) return hold(uploadId, token, nowMs, onWanted);
          if (nowMs > endMs) throw locked();
          leavePlace ??= takePlace(uploadId);
          await pause(lookEveryMs * (0.5 + Math.random()), signal);
        }
      } finally {
        leavePlace?.();
      }
    },
    close() {
      subscriber.off('ready', subscribe).off('message', onMessage);
      for (const entry of held.values()) entry.stop();
    },
  };
}

function locked(): AppError {
  return new AppError('upload_locked', 'Another request is at work on this upload.', {
    details: { retryAfterSeconds: 1 },
  });
}

/** Ends early when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
