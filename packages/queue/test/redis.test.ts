import { afterAll, beforeAll, expect, test } from 'vitest';
import { withRedis } from '../src/redis.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
beforeAll(async () => {
  testRedis = openTestRedis();
  await testRedis.redis.ping();
});
afterAll(() => testRedis.close());

test.each([
  ['for long after the time that it had', 1_200],
  ['just over the end of the time that it had', 1_005],
])('withRedis in a process that was held up %s: the answer that has come meanwhile counts', async (_, heldUpMs) => {
  const ask = () => testRedis.redis.ping();
  const answer = withRedis(() => ask().then(ask), 1_000);
  const startMs = performance.now();
  while (performance.now() - startMs < heldUpMs) {
    // Nothing else gets a turn.
  }
  expect(await answer).toBe('PONG');
});

test('withRedis when no answer comes: queue_unavailable, also after having been held up', async () => {
  const unavailable = { code: 'queue_unavailable', details: { retryAfterSeconds: 2 } };
  await expect(withRedis(() => new Promise(() => {}), 10)).rejects.toMatchObject(unavailable);
  const heldUp = withRedis(() => new Promise(() => {}), 10);
  const startMs = performance.now();
  while (performance.now() - startMs < 100) {
    // Nothing else gets a turn.
  }
  await expect(heldUp).rejects.toMatchObject(unavailable);
});
