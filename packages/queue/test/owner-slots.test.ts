import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createOwnerSlots } from '../src/owner-slots.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
beforeEach(async () => {
  testRedis = openTestRedis();
  await testRedis.redis.ping();
});
afterEach(() => testRedis.close());

const slotsOf = (owner: string) => testRedis.keys.waitingRequests(owner);

test('slots of an owner: as many as may be, each free again when it is given back', async () => {
  const slots = createOwnerSlots(testRedis);
  const first = await slots.take('ada', 2);
  expect(await slots.take('ada', 2)).not.toBeNull();
  expect(await slots.take('ada', 2)).toBeNull();
  expect(await slots.take('bob', 2)).not.toBeNull();
  await first?.();
  const next = await slots.take('ada', 2);
  expect(next).not.toBeNull();
  expect(await slots.take('ada', 2)).toBeNull();
});

test('a slot is renewed while work goes on, longer than it would last by itself', async () => {
  const { redis } = testRedis;
  const giveBack = await createOwnerSlots({ ...testRedis, ttlMs: 8_000 }).take('ada', 1);
  const [, before] = await redis.zrange(slotsOf('ada'), '0', '0', 'WITHSCORES');
  const seesRenewal = async () => {
    const [, now] = await redis.zrange(slotsOf('ada'), '0', '0', 'WITHSCORES');
    expect(Number(now)).toBeGreaterThan(Number(before));
  };
  await vi.waitFor(seesRenewal, { timeout: 90_000 });
  await giveBack?.();
  expect(await redis.zcard(slotsOf('ada'))).toBe(0);
});

test('a slot of a copy that died lasts for half a minute at most, and keeps nobody out after that', async () => {
  const { redis } = testRedis;
  const slots = createOwnerSlots(testRedis);
  await slots.take('ada', 1);
  expect(await redis.pttl(slotsOf('ada'))).toBeLessThanOrEqual(30_000);
  // As another copy had left it some time ago.
  await redis.del(slotsOf('ada'));
  await redis.zadd(slotsOf('ada'), Date.now() - 60_000, 'of a dead one');
  expect(await slots.take('ada', 1)).not.toBeNull();
});

test('a slot that Redis gives after it was given up on is not renewed', async () => {
  vi.useFakeTimers();
  try {
    let answer = (_: number) => {};
    const hanging = vi.fn(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const slots = createOwnerSlots({ keys: testRedis.keys, redis: { eval: hanging, zrem: vi.fn() } });
    const taking = expect(slots.take('ada', 1)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await vi.advanceTimersByTimeAsync(10_000);
    await taking;
    answer(1);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(hanging).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});
