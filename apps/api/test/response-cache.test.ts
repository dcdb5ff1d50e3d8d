import { AppError } from '@studymate/contracts/errors';
import { createId } from '@studymate/contracts/ids';
import { createRedis } from '@studymate/queue/redis';
import { spawnRedis, testRedisUrl } from '@studymate/queue/testing';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { toCacheUse } from '../src/cache/cache-control.ts';
import { createCacheStore } from '../src/cache/cache-store.ts';
import { type CacheRequest, type CacheResult, createResponseCache } from '../src/cache/response-cache.ts';
import { until } from './support/test-api.ts';

let prefix: string;
let redis: Redis;
let results: CacheResult[];
let errors: unknown[];
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  prefix = `{t${createId()}}`;
  results = [];
  errors = [];
  redis = await connect(testRedisUrl());
});
afterEach(async () => {
  const left = await redis.keys(`${prefix}*`);
  if (left.length > 0) await redis.del(...left);
  for (const close of closers.splice(0).reverse()) await close();
});

/** A producer refuses what is asked of it before it is connected. */
async function connect(url: string): Promise<Redis> {
  const made = createRedis({ url, kind: 'producer', onError: () => {} });
  closers.push(() => made.disconnect());
  await until(async () => made.status === 'ready', 'Redis');
  return made;
}

/** As one API copy has it. */
function makeCache(options: { redis?: Redis; seconds?: number } = {}) {
  const { seconds = 60 } = options;
  const kinds = { clip: seconds, topics: seconds, chapters: seconds, summary: seconds, 'summary-stream': seconds };
  const store = createCacheStore({ redis: options.redis ?? redis, prefix, onError: (error) => errors.push(error) });
  return createResponseCache({ store, ttlSeconds: kinds, onResult: (_, result) => results.push(result) });
}

const request: CacheRequest = {
  kind: 'topics',
  owner: 'ada',
  content: { documents: ['a text'] },
  model: 'MiniLM#1',
  pieces: z.array(z.string()),
  use: { read: true, write: true },
};
const never = new AbortController().signal;

/** Makes "answer 1", "answer 2" …, each when it is let. */
function makeMaker() {
  let made = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const state = { isHeld: false, isStopped: false, error: null as AppError | null };
  return {
    state,
    release,
    count: () => made,
    async *make(signal: AbortSignal) {
      made++;
      const text = `answer ${made}`;
      if (state.isHeld) {
        const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await Promise.race([released, stopped]);
        if (signal.aborted) {
          state.isStopped = true;
          throw new AppError('cancelled', 'Nobody waits.');
        }
      }
      if (state.error) throw state.error;
      yield text;
      yield '!';
    },
  };
}

/** @returns how often the connection was asked with a command so far */
function countCalls(connection: Redis, command: 'mget'): () => number {
  const spied = vi.spyOn(connection, command);
  return () => spied.mock.calls.length;
}

type Cache = ReturnType<typeof makeCache>;
type Maker = ReturnType<typeof makeMaker>;
async function ask(cache: Cache, maker: Maker, changes: Partial<CacheRequest> = {}, signal = never): Promise<string> {
  const { pieces } = await cache.open({ ...request, ...changes }, maker, signal);
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
}

test('the same request again: gets the kept pieces, in another copy too; another owner, content or model does not', async () => {
  const [cache, other] = [makeCache(), makeCache()];
  const maker = makeMaker();
  expect(await ask(cache, maker)).toBe('answer 1!');
  expect([await ask(cache, maker), await ask(other, maker)]).toEqual(['answer 1!', 'answer 1!']);
  expect(results).toEqual(['miss', 'hit', 'hit']);
  for (const changes of [
    { owner: 'bob' },
    { content: { documents: ['b'] } },
    { model: 'MiniLM#2' },
    { kind: 'chapters' },
  ]) {
    await ask(cache, maker, changes as Partial<CacheRequest>);
  }
  expect(maker.count()).toBe(5);
  for (const key of await redis.keys(`${prefix}*`)) expect(await redis.ttl(key)).toBeGreaterThan(0);
});

test('a hundred equal requests at four copies at once: the answer is made once', async () => {
  const connections = await Promise.all([1, 2, 3, 4].map(() => connect(testRedisUrl())));
  const caches = connections.map((each) => makeCache({ redis: each }));
  const maker = makeMaker();
  maker.state.isHeld = true;
  const asked = Array.from({ length: 100 }, (_, i) => ask(caches[i % 4] as Cache, maker));
  await until(async () => maker.count() > 0, 'the first to begin');
  maker.release();
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['answer 1!']));
  expect(maker.count()).toBe(1);
  expect(results.filter((result) => result === 'miss')).toHaveLength(1);
  expect(await redis.keys(`${prefix}:cache-lock:*`)).toEqual([]);
});

test('readers of one answer: each has its pieces as they are made; who leaves does not end it for the others', async () => {
  const cache = makeCache();
  const maker = makeMaker();
  maker.state.isHeld = true;
  const leaving = new AbortController();
  const [gone, stays] = [ask(cache, maker, {}, leaving.signal), ask(cache, maker)];
  await until(async () => maker.count() > 0, 'the answer to be begun');
  leaving.abort();
  await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
  maker.release();
  expect(await stays).toBe('answer 1!');
});

test('the last reader leaves: making is stopped, and who asks next has it made anew', async () => {
  const cache = makeCache();
  const maker = makeMaker();
  maker.state.isHeld = true;
  const leaving = new AbortController();
  const gone = ask(cache, maker, {}, leaving.signal);
  await until(async () => maker.count() > 0, 'the answer to be begun');
  leaving.abort();
  await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
  await until(async () => maker.state.isStopped, 'the maker to be told');
  maker.state.isHeld = false;
  expect(await ask(cache, maker)).toBe('answer 2!');
});

test('a copy that dies while it makes an answer: another makes it once its lock has run out', async () => {
  const maker = makeMaker();
  const store = createCacheStore({ redis, prefix, onError: (error) => errors.push(error) });
  const key = store.toKey('topics', [request.owner, request.model, request.content], request.pieces);
  await redis.set(key.lock, 'of the dead', 'PX', 300);
  expect(await ask(makeCache(), maker)).toBe('answer 1!');
  expect(results).toEqual(['miss']);
});

test('a copy whose lock has gone to another: does not keep it alive', async () => {
  const store = createCacheStore({
    redis,
    prefix,
    onError: (error) => errors.push(error),
    lockMs: 60_000,
    renewMs: 10,
  });
  const key = store.toKey('topics', 'what', request.pieces);
  const unlock = await store.lock(key);
  const leftMs = async () => redis.pttl(key.lock);
  await redis.pexpire(key.lock, 20_000);
  await until(async () => (await leftMs()) > 30_000, 'its own lock to be renewed');
  await redis.set(key.lock, 'of another', 'PX', 60);
  await until(async () => (await redis.exists(key.lock)) === 0, 'the lock of the other to run out');
  await unlock?.();
});

test('work that fails at one copy while others wait for it: they are told so, and do not try it one after the other', async () => {
  const connections = await Promise.all([1, 2, 3].map(() => connect(testRedisUrl())));
  const caches = connections.map((each) => makeCache({ redis: each }));
  const maker = makeMaker();
  maker.state.isHeld = true;
  maker.state.error = new AppError('timeout', 'No worker answered.', { details: { retryAfterSeconds: 5 } });
  const waits = connections.map((each) => countCalls(each, 'mget'));
  const asked = Promise.allSettled(caches.map((cache) => ask(cache, maker)));
  await until(async () => waits.filter((count) => count() > 0).length === 2, 'the two others to wait');
  maker.release();
  for (const outcome of await asked) {
    const reason = { code: 'timeout', message: 'No worker answered.', details: { retryAfterSeconds: 5 } };
    expect(outcome).toMatchObject({ status: 'rejected', reason });
  }
  expect(maker.count()).toBe(1);
  // Who comes after that has it tried again.
  maker.state.error = null;
  expect(await ask(caches[1] as Cache, maker)).toBe('answer 2!');
});

test('the first of two at one copy leaves while another copy makes their answer: what is made then is made for the second', async () => {
  const store = createCacheStore({ redis, prefix, onError: (error) => errors.push(error) });
  const key = store.toKey('topics', [request.owner, request.model, request.content], request.pieces);
  await redis.set(key.lock, 'of another', 'PX', 60_000);
  const cache = makeCache();
  const [first, second] = [makeMaker(), makeMaker()];
  const leaving = new AbortController();
  const gone = ask(cache, first, {}, leaving.signal);
  const stays = ask(cache, second);
  leaving.abort();
  await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
  await redis.del(key.lock);
  expect(await stays).toBe('answer 1!');
  expect([first.count(), second.count()]).toEqual([0, 1]);
});

test('an answer that is too old: made anew; given as stale while another copy makes it, or when it cannot be made', async () => {
  const cache = makeCache({ seconds: 60 });
  const maker = makeMaker();
  await ask(cache, maker);
  const [key = ''] = await redis.keys(`${prefix}:cache:*`);
  const age = async () => {
    const entry = JSON.parse((await redis.get(key)) ?? '');
    await redis.set(key, JSON.stringify({ ...entry, freshUntilMs: Date.now() - 1 }), 'EX', 60);
  };
  await age();
  expect(await ask(cache, maker)).toBe('answer 2!');

  await age();
  maker.state.error = new AppError('queue_unavailable', 'Redis is away.');
  expect(await ask(cache, maker)).toBe('answer 2!');
  maker.state.error = new AppError('invalid_request', 'It is wrong.');
  await expect(ask(cache, maker)).rejects.toMatchObject({ code: 'invalid_request' });
  maker.state.error = null;

  maker.state.isHeld = true;
  const making = ask(cache, maker);
  const before = maker.count();
  await until(async () => maker.count() > before, 'the first copy to begin').catch(() => {});
  expect(await ask(makeCache(), maker)).toBe('answer 2!');
  maker.release();
  expect(await making).not.toBe('answer 2!');
  expect(results).toEqual(['miss', 'miss', 'stale', 'stale', 'miss']);
});

test('what fails is told to all who wait, and kept for nobody; no-cache makes anew and keeps, no-store keeps nothing', async () => {
  const cache = makeCache();
  const maker = makeMaker();
  maker.state.error = new AppError('timeout', 'No worker.');
  const asked = await Promise.allSettled([ask(cache, maker), ask(cache, maker)]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  maker.state.error = null;
  expect(await ask(cache, maker, { use: toCacheUse('no-store') })).toBe('answer 2!');
  expect(await ask(cache, maker)).toBe('answer 3!');
  expect(await ask(cache, maker, { use: toCacheUse('max-age=0, No-Cache') })).toBe('answer 4!');
  expect(await ask(cache, maker)).toBe('answer 4!');
});

test('a kind that is not to be kept, and an answer that would not be given again: nothing is kept', async () => {
  const maker = makeMaker();
  await ask(makeCache({ seconds: 0 }), maker);
  await ask(makeCache(), { ...maker, isLasting: () => false } as Maker);
  expect(await redis.keys(`${prefix}*`)).toEqual([]);
  expect(maker.count()).toBe(2);
});

test('something else under the key, or pieces that are none: is no answer', async () => {
  const cache = makeCache();
  const maker = makeMaker();
  await ask(cache, maker);
  const [key = ''] = await redis.keys(`${prefix}:cache:*`);
  await redis.set(key, '{"pieces":1}', 'EX', 60);
  expect(await ask(cache, maker)).toBe('answer 2!');
  // As another version of the API might have written it.
  for (const pieces of [[{ text: 'of another form' }], []]) {
    await redis.set(key, JSON.stringify({ freshUntilMs: Date.now() + 60_000, pieces }), 'EX', 60);
    const use = { pieces: z.array(z.string()).min(1) };
    expect(await ask(cache, maker, use)).toBe(`answer ${maker.count()}!`);
    expect(results.at(-1)).toBe('miss');
  }
  expect(maker.count()).toBe(4);
  expect(errors.length).toBeGreaterThanOrEqual(3);
});

test('a cache that is away or hangs: every answer is made, equal ones at once still only once, and nobody fails', async () => {
  const own = await spawnRedis();
  closers.push(() => own.stop());
  const cache = makeCache({ redis: await connect(own.url) });
  const maker = makeMaker();
  expect(await ask(cache, maker)).toBe('answer 1!');
  own.signal('SIGSTOP');
  try {
    const both = await Promise.all([ask(cache, maker), ask(cache, maker)]);
    expect(both[0]).toBe(both[1]);
    expect(await ask(cache, maker)).toBe(`answer ${maker.count()}!`);
  } finally {
    own.signal('SIGCONT');
  }
  const nowhere = createRedis({ url: 'redis://127.0.0.1:1', kind: 'producer', onError: () => {} });
  closers.push(() => nowhere.disconnect());
  const away = makeCache({ redis: nowhere });
  const before = maker.count();
  await ask(away, maker);
  await ask(away, maker);
  expect(maker.count()).toBe(before + 2);
});
