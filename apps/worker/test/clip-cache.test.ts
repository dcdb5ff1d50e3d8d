import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ClipCache, createClipCache } from '../src/quick/clip-cache.ts';

const prefix = `{clip-cache-${process.pid}}`;
let redis: Redis;
let errors: unknown[];
let cache: ClipCache;
const toCache = (connection: Redis, ttlSeconds = 60) =>
  createClipCache({ redis: connection, prefix, ttlSeconds, onError: (error) => errors.push(error) });

beforeAll(() => {
  redis = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
});
afterAll(async () => {
  const left = await redis.keys(`${prefix.replace(/[{}]/g, '?')}*`);
  if (left.length > 0) await redis.del(left);
  redis.disconnect();
});
beforeEach(() => {
  errors = [];
  cache = toCache(redis);
});

const job = { kind: 'transcribe', clipKey: 'clips/a', language: 'en', keep: { owner: 'ada', read: true } } as const;
const bytes = Uint8Array.of(1, 2, 3);
const answer = {
  text: 'hello',
  language: 'en',
  languageProbability: 0.9,
  confidence: 0.8,
  words: [{ word: 'hello', start: 0, end: 0.5, probability: 0.8 }],
  durationSeconds: 1,
  candidates: [{ text: 'hello', probability: 1 }],
  candidatesConfidence: 0.9,
  timings: {
    decodeSeconds: 0.01,
    decodeMethod: 'wav' as const,
    modelLoadSeconds: 0.4,
    inferenceSeconds: 0.1,
    cold: true,
    cached: false,
  },
};
const keyOf = (changes: object = {}, sound = bytes, algorithm = 'a@1') =>
  cache.toKey({ ...job, ...changes }, sound, algorithm);

test('the same clip and request: have one key, whatever the upload is called; anything else has another', () => {
  expect(keyOf({ clipKey: 'clips/b' })).toBe(keyOf());
  expect(keyOf({ keep: { owner: 'ada', read: false } })).toBe(keyOf());
  const others = [
    keyOf({ keep: { owner: 'bob', read: true } }),
    keyOf({ language: null }),
    keyOf({ candidates: ['a'] }),
    keyOf({ withSegments: true }),
    keyOf({}, Uint8Array.of(1, 2)),
    keyOf({}, bytes, 'a@2'),
  ];
  expect(new Set([keyOf(), ...others]).size).toBe(others.length + 1);
});

test('a request that wants nothing kept, and a cache that is off: have no key', () => {
  expect(keyOf({ keep: undefined })).toBeNull();
  expect(toCache(redis, 0).toKey(job, bytes, 'a@1')).toBeNull();
});

test('an answer that was written: comes back as cached with no times, and expires', async () => {
  const key = keyOf() as string;
  expect(await cache.read(key)).toBeNull();
  await cache.write(key, answer);
  const nothing = { decodeSeconds: 0, modelLoadSeconds: 0, inferenceSeconds: 0, cold: false, cached: true };
  expect(await cache.read(key)).toEqual({ ...answer, timings: { decodeMethod: 'wav', ...nothing } });
  const ttl = await redis.ttl(key);
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(60);
  expect(errors).toEqual([]);
});

test('an answer that is very large: is not kept', async () => {
  const key = keyOf({ language: 'de' }) as string;
  await cache.write(key, { ...answer, text: 'x'.repeat(200_000) });
  expect(await cache.read(key)).toBeNull();
});

test('something else under the key: is no answer, and is reported', async () => {
  const key = keyOf({ language: 'fr' }) as string;
  await redis.set(key, '{"text":1}', 'EX', 60);
  expect(await cache.read(key)).toBeNull();
  expect(errors).toHaveLength(1);
});

test('a Redis that is away: nothing is kept or found, soon, and nobody fails', async () => {
  const away = createRedis({ url: 'redis://127.0.0.1:1', kind: 'producer', onError: () => {} });
  try {
    const gone = toCache(away);
    await gone.write('k', answer);
    expect(await gone.read('k')).toBeNull();
    expect(errors).toHaveLength(2);
  } finally {
    away.disconnect();
  }
});
