// Gives tests that are run by themselves (`npx vitest run packages/queue`) the Redis that `npm test` gives them all.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startRedis } from '../redis.mjs';

export default async function setup() {
  if (process.env.STUDYMATE_TEST_REDIS_URL) return;
  const dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-test-redis-'));
  const redis = await startRedis({ dataDir, durable: false });
  // Workers that run the test files inherit it.
  process.env.STUDYMATE_TEST_REDIS_URL = redis.url;
  return async () => {
    await redis.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}
