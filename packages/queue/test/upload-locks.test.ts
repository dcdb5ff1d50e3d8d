import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRedis } from '../src/redis.ts';
import { createUploadLocks, type UploadLocks } from '../src/upload-locks.ts';
import { openTestRedis, spawnRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
const made: UploadLocks[] = [];
beforeEach(async () => {
  testRedis = openTestRedis();
  await testRedis.redis.ping();
});
afterEach(async () => {
  for (const locks of made.splice(0)) locks.close();
  await testRedis.close();
});

/** As one copy of the API has it. */
function openLocks(options: { ttlMs?: number; waitMs?: number } = {}): UploadLocks {
  const { redis, keys } = testRedis;
  const locks = createUploadLocks({ redis, subscriber: testRedis.connect(), keys, ...options });
  made.push(locks);
  return locks;
}

const never = new AbortController().signal;
const quietly = { signal: never, onWanted: () => {} };

describe('the lock of an upload', () => {
  test('is held by one of many that want it at once, in turn, over two copies', async () => {
    const copies = [openLocks(), openLocks()];
    let holders = 0;
    let most = 0;
    const work = async (i: number) => {
      const lock = await (copies[i % 2] as UploadLocks).acquire('a', quietly);
      most = Math.max(most, ++holders);
      await testRedis.redis.ping();
      expect(lock.isHeld()).toBe(true);
      holders--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 6 }, (_, i) => work(i)));
    expect(most).toBe(1);
  });

  test('does not keep those of other uploads waiting', async () => {
    const locks = openLocks({ waitMs: 0 });
    const first = await locks.acquire('a', quietly);
    const second = await locks.acquire('b', quietly);
    expect([first.isHeld(), second.isHeld()]).toEqual([true, true]);
  });

  test('wanted in another copy: its holder is asked to give way, once, and the other gets it', async () => {
    const [here, there] = [openLocks(), openLocks()];
    let asked = 0;
    const lock = await here.acquire('a', {
      signal: never,
      onWanted() {
        asked++;
        setImmediate(() => lock.release());
      },
    });
    const other = await there.acquire('a', quietly);
    expect(asked).toBe(1);
    expect([lock.isHeld(), other.isHeld()]).toEqual([false, true]);
  });

  test('whose holder does not give way: the other is refused with upload_locked', async () => {
    const locks = openLocks({ waitMs: 300 });
    const lock = await locks.acquire('a', quietly);
    await expect(locks.acquire('a', quietly)).rejects.toMatchObject({ code: 'upload_locked' });
    expect(lock.isHeld()).toBe(true);
  });

  test('wanted by more than may wait: those are refused at once, and the others get it in turn', async () => {
    const locks = openLocks({ waitMs: 60_000 });
    const lock = await locks.acquire('a', quietly);
    const refused: unknown[] = [];
    const all = Array.from({ length: 10 }, () =>
      locks.acquire('a', quietly).then(
        (got) => got.release(),
        (error) => refused.push(error),
      ),
    );
    await vi.waitFor(() => expect(refused.length).toBe(6), 90_000);
    await lock.release();
    await Promise.all(all);
    expect(refused).toMatchObject(Array.from({ length: 6 }, () => ({ code: 'upload_locked' })));
  });

  test('whose waiter goes away: the waiting ends at once', async () => {
    const locks = openLocks({ waitMs: 60_000 });
    await locks.acquire('a', quietly);
    const leaving = new AbortController();
    const waiting = locks.acquire('a', { signal: leaving.signal, onWanted: () => {} });
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'upload_locked' });
  });

  test('is renewed while it is held, and free again when its holder has died', async () => {
    const { redis, keys } = testRedis;
    const [dying, living] = [openLocks({ ttlMs: 12_000 }), openLocks({ waitMs: 90_000 })];
    const lock = await dying.acquire('a', quietly);
    let leastMs = 12_000;
    const seesRenewal = async () => {
      const leftMs = await redis.pttl(keys.uploadLock('a'));
      const wasLeast = leastMs;
      leastMs = Math.min(leastMs, leftMs);
      expect(leftMs).toBeGreaterThan(wasLeast);
    };
    await vi.waitFor(seesRenewal, { timeout: 90_000 });
    expect(lock.isHeld()).toBe(true);
    // Nobody renews it any more, and nobody releases it. The rest of its time is cut short.
    dying.close();
    await redis.pexpire(keys.uploadLock('a'), 100);
    const next = await living.acquire('a', quietly);
    expect(next.isHeld()).toBe(true);
  });

  test('that another has by now: is lost to its holder, whose release leaves it alone', async () => {
    const locks = openLocks({ ttlMs: 400 });
    const lock = await locks.acquire('a', quietly);
    const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    await testRedis.redis.set(testRedis.keys.uploadLock('a'), 'of another');
    await lost;
    expect(lock.isHeld()).toBe(false);
    await lock.release();
    expect(await testRedis.redis.get(testRedis.keys.uploadLock('a'))).toBe('of another');
  });
});

test('the lock of an upload while Redis is away: queue_unavailable, and what is held is lost when its time is over', async () => {
  const own = await spawnRedis();
  const connections = (['producer', 'consumer'] as const).map((kind) =>
    createRedis({ url: own.url, kind, onError: () => {} }),
  );
  const [redis, subscriber] = connections;
  if (!redis || !subscriber) throw new Error('no connections');
  const locks = createUploadLocks({ redis, subscriber, keys: testRedis.keys, ttlMs: 1_000 });
  try {
    await Promise.all([once(redis, 'ready'), once(subscriber, 'ready')]);
    const lock = await locks.acquire('a', quietly);
    const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve));
    await own.kill();
    await expect(locks.acquire('b', quietly)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await lost;
    expect(lock.isHeld()).toBe(false);
  } finally {
    locks.close();
    for (const connection of connections) connection.disconnect();
    await own.stop();
  }
});
