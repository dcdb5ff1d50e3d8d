import type { ModelReport } from '@studymate/contracts/models';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createModelNames } from '../src/cache/model-names.ts';
import { startEmbeddingWorker } from './support/embedding-worker.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
beforeEach(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterEach(() => t.close());

const report = (weights: string): ModelReport => ({
  family: 'text',
  state: 'ready',
  since: new Date(0).toISOString(),
  openWork: 0,
  lastLoadSeconds: null,
  memoryBytes: null,
  failureCode: null,
  weights,
});

test('the last worker leaves: its weights are known on, until one with others comes', async () => {
  const fleet = createModelFleet(t);
  let nowMs = 0;
  const names = createModelNames({ fleet, now: () => nowMs });
  const readLater = () => {
    nowMs += 10_000;
    return names.read('text');
  };
  expect(await readLater()).toBe('');
  await fleet.report('w1', [report('MiniLM#1')]);
  expect(await readLater()).toBe('MiniLM#1');
  await fleet.withdraw('w1');
  expect(await readLater()).toBe('MiniLM#1');
  await fleet.report('w2', [report('MiniLM#2')]);
  expect(await readLater()).toBe('MiniLM#2');
  expect(await names.read('speech')).toBe('');
});

test('a Redis that does not answer: what is known is given after a moment, and it is not asked for each request', async () => {
  const fleet = createModelFleet(t);
  await fleet.report('w1', [report('MiniLM#1')]);
  let isHanging = false;
  let asked = 0;
  const read = () => {
    asked++;
    return isHanging ? new Promise<never>(() => {}) : fleet.read();
  };
  let nowMs = 0;
  const names = createModelNames({ fleet: { read }, now: () => nowMs });
  expect(await names.read('text')).toBe('MiniLM#1');
  isHanging = true;
  nowMs += 10_000;
  const many = await Promise.all(Array.from({ length: 20 }, () => names.read('text')));
  expect(new Set(many)).toEqual(new Set(['MiniLM#1']));
  expect(asked).toBe(2);
});

test('a text whose answer is too old: given as stale at once while no worker is there, made anew when one is', async () => {
  let asked = 0;
  const worker = startEmbeddingWorker({
    redisUrl: testRedisUrl(),
    prefix: t.config.redis.prefix,
    answer: async () => {
      asked++;
      return { topics: [], assignments: [null] };
    },
  });
  const ask = async () => {
    const body = JSON.stringify({ documents: ['a text'] });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${t.url}/api/v1/topics`, { method: 'POST', headers, body })).headers.get('x-cache');
  };
  try {
    expect(await ask()).toBe('miss');
    for (const key of await t.redis.keys(`${t.config.redis.prefix}:cache:topics:*`)) {
      const entry = JSON.parse((await t.redis.get(key)) ?? '');
      await t.redis.set(key, JSON.stringify({ ...entry, freshUntilMs: 0 }), 'EX', 600);
    }
    expect([await ask(), asked]).toEqual(['stale', 1]);
    const { weights: _, ...unnamed } = report('');
    await createModelFleet(t).report('w', [unnamed]);
    // What is known of the workers is two seconds old at most.
    await until(async () => (await ask()) === 'miss', 'the worker to be seen');
    expect(asked).toBe(2);
  } finally {
    await worker.close();
  }
});
