import { createId } from '@studymate/contracts/ids';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readOldestWaiting } from '../src/oldest-waiting.ts';
import { createRedis } from '../src/redis.ts';
import { testRedisUrl } from './support/redis.ts';

let queue: Queue;
let redis: ReturnType<typeof createRedis>;
beforeEach(() => {
  redis = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
  queue = new Queue('quick', { connection: redis, prefix: `{t${createId()}}` });
});
afterEach(async () => {
  await queue.obliterate({ force: true });
  await queue.close();
  redis.disconnect();
});

test('the oldest job that waits: found in the line and among those with a priority, whatever comes next', async () => {
  expect(await readOldestWaiting(redis, queue)).toBeNull();
  await queue.add('a', {}, { timestamp: 3_000 });
  await queue.add('b', {}, { timestamp: 4_000 });
  expect(await readOldestWaiting(redis, queue)).toBe(3_000);
  await queue.add('c', {}, { timestamp: 5_000, priority: 1 });
  await queue.add('d', {}, { timestamp: 1_700_000_000_000, priority: 2 });
  await queue.add('e', {}, { timestamp: 2_000, priority: 9 });
  expect(await readOldestWaiting(redis, queue)).toBe(2_000);
  // What is put off does not wait for a worker.
  await queue.add('f', {}, { timestamp: 1_000, delay: 60_000 });
  expect(await readOldestWaiting(redis, queue)).toBe(2_000);
});
