import { rm } from 'node:fs/promises';
import type { QuickResult } from '@studymate/queue/quick';
import { createRedis } from '@studymate/queue/redis';
import { type OwnRedis, spawnRedis } from '@studymate/queue/testing';
import { Worker } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { finishLecture, makeLecture, makeSegment } from './support/made-lecture.ts';
import { listen } from './support/sse.ts';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

/** A Redis that is there and yet of no use: it hangs, or takes no writes. */
let redis: OwnRedis;
let t: TestApi;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  redis = await spawnRedis();
  t = await startTestApi({ redisUrl: redis.url });
});
afterEach(async () => {
  redis.signal('SIGCONT');
  for (const close of closers.splice(0).reverse()) await close();
  await t.close();
  await redis.stop();
});

/** Generous: an answer that waits for Redis takes about a second, one that waits without an end is cut here. */
const bound = () => AbortSignal.timeout(90_000);

async function ask(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(`${t.url}${path}`, { ...init, signal: bound() });
  const text = await response.text();
  const { code } = (text.startsWith('{"error"') ? JSON.parse(text).error : {}) as { code?: string };
  const retryAfter = response.headers.get('retry-after');
  return [response.status, code, retryAfter && `after ${retryAfter}`].filter(Boolean).join(' ');
}
let texts = 0;
const askTopics = () =>
  ask('/api/v1/topics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // A new one each time: nothing of it is kept.
    body: JSON.stringify({ documents: [`text ${++texts}`] }),
  });
const askTranscribe = () => {
  const form = new FormData();
  form.append('file', toFile('x'));
  return ask('/api/v1/transcribe', { method: 'POST', body: form });
};

/** A worker for texts, which knows one answer. */
function startTextWorker(): void {
  const connection = createRedis({ url: redis.url, kind: 'consumer', onError: () => {} });
  const answer = async (): Promise<QuickResult> => ({ ok: true, value: { topics: [], assignments: [null] } });
  const worker = new Worker('quick', answer, { connection, prefix: t.config.redis.prefix });
  worker.on('error', () => {});
  closers.push(async () => {
    await worker.close(true);
    connection.disconnect();
  });
}

const troubles = [
  {
    name: 'hangs',
    begin: async () => redis.signal('SIGSTOP'),
    end: async () => redis.signal('SIGCONT'),
  },
  {
    name: 'has no room left (OOM)',
    begin: () => t.redis.config('SET', 'maxmemory', '1'),
    end: () => t.redis.config('SET', 'maxmemory', '0'),
  },
  {
    name: 'has become a replica (READONLY)',
    begin: () => t.redis.call('REPLICAOF', '127.0.0.1', '1'),
    end: () => t.redis.call('REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'cannot save to its disk (MISCONF)',
    async begin() {
      const [, dir] = (await t.redis.config('GET', 'dir')) as [string, string];
      await rm(dir, { recursive: true });
      await t.redis.config('SET', 'save', '3600 1');
      await t.redis.bgsave();
      await until(async () => /rdb_last_bgsave_status:err/.test(await t.redis.info('persistence')), 'the failed save');
    },
    end: () => t.redis.config('SET', 'stop-writes-on-bgsave-error', 'no'),
  },
];

test.each(troubles)(
  'a Redis that $name: what needs it gets a code and Retry-After, nothing is lost, all goes on after',
  async ({ begin, end }) => {
    const [done, open, unwanted] = await Promise.all([makeLecture(t), makeLecture(t), makeLecture(t)]);
    await finishLecture(t, done.id, {
      assemble: { language: 'en', text: 'Kept.', segments: [makeSegment(0, 'Kept.')] },
      ...{ chapters: [], topics: [], summary: { statements: [], keyTerms: [] }, flashcards: [] },
    });
    startTextWorker();
    expect(await askTopics()).toBe('200');
    await begin();

    const unavailable = '503 queue_unavailable after 2';
    expect(await Promise.all([askTopics(), askTranscribe()])).toEqual([unavailable, unavailable]);
    expect(await t.blobs.list('clips/')).toEqual([]);
    const uploaded = await t.client.uploadLecture(toFile('not to be lost'));
    const key = (await t.lectures.read(uploaded.id))?.media.key ?? '';
    expect(Buffer.from((await t.blobs.read(key)) ?? []).toString()).toBe('not to be lost');
    const reads = ['', `/${done.id}`, `/${open.id}`, `/${done.id}/transcript`, `/${done.id}/media`];
    expect(await Promise.all(reads.map((path) => ask(`/api/v1/lectures${path}`)))).toEqual(reads.map(() => '200'));
    expect(await ask(`/api/v1/lectures/${open.id}/cancel`, { method: 'POST' })).toBe('202');
    expect(await ask(`/api/v1/lectures/${unwanted.id}`, { method: 'DELETE' })).toBe('204');
    expect(await ask('/health/live')).toBe('200');

    await end();
    const spec = { lectureId: uploaded.id, stage: 'ingest', part: 0, attempt: 1 } as const;
    await until(async () => t.queues.findStageJob(spec), 'the job of the upload');
    startTextWorker();
    await until(async () => (await askTopics()) === '200', 'topics');
  },
);

test('a Redis that hangs while somebody follows: not ready meanwhile, and the same stream goes on after', async () => {
  const { id } = await makeLecture(t);
  const listener = await listen(`${t.url}/api/v1/lectures/${id}/events`);
  await listener.next((event) => event.name === 'snapshot');
  redis.signal('SIGSTOP');
  expect(await ask('/health/ready')).toBe('503');
  redis.signal('SIGCONT');
  await until(async () => (await ask('/health/ready')) === '200', 'readiness');
  await t.publisher.publish(id, { type: 'end', status: 'ready' });
  await listener.ended;
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'end']);
});

test('quick calls around a Redis that dies and comes back empty: answered before and after', async () => {
  startTextWorker();
  expect(await askTopics()).toBe('200');
  await redis.kill();
  expect(await askTopics()).toBe('503 queue_unavailable after 2');
  await redis.start();
  await until(async () => (await askTopics()) === '200', 'topics');
});

test('a Redis that dies while a quick call waits for its worker: the caller is told at once to try again', async () => {
  const answer = askTopics();
  await until(async () => (await t.queues.all().get('quick')?.getWaitingCount()) === 1, 'the job');
  await redis.kill();
  expect(await answer).toBe('503 queue_unavailable after 2');
});

test('a Redis that hangs for many requests: further ones are refused without asking it, and not any more when it answers', async () => {
  startTextWorker();
  expect(await askTopics()).toBe('200');
  redis.signal('SIGSTOP');
  const unavailable = '503 queue_unavailable after 2';
  const askFive = () => Promise.all(Array.from({ length: 5 }, askTopics));
  expect(await askFive()).toEqual(Array(5).fill(unavailable));
  await until(async () => (await breakerState()) === 'open', 'the breaker to open');
  expect(await askFive()).toEqual(Array(5).fill(unavailable));
  expect(await t.metrics.text()).toMatch(/circuit_breaker_refusals_total\{.*dependency="queue".*\} 5/);
  redis.signal('SIGCONT');
  await until(async () => (await breakerState()) === 'closed', 'the breaker to close');
  await until(async () => (await askTopics()) === '200', 'topics');
});

test('a Redis that takes no writes for many requests, but answers reads: further ones are refused, and not any more when it does', async () => {
  startTextWorker();
  expect(await askTopics()).toBe('200');
  expect(await isQueueUp()).toBe('1');
  await t.redis.config('SET', 'min-replicas-to-write', '1');
  // Also when nobody asks for anything.
  expect(await isQueueUp()).toBe('0');
  const unavailable = '503 queue_unavailable after 2';
  for (let i = 0; i < 5; i++) expect(await askTopics()).toBe(unavailable);
  await until(async () => (await breakerState()) === 'open', 'the breaker to open');
  expect(await askTopics()).toBe(unavailable);
  await t.redis.config('SET', 'min-replicas-to-write', '0');
  await until(async () => (await breakerState()) === 'closed', 'the breaker to close');
  expect(await isQueueUp()).toBe('1');
  await until(async () => (await askTopics()) === '200', 'topics');
});

test('a Redis that hangs while another one keeps the answers: what is kept is given', async () => {
  const cache = await spawnRedis();
  closers.push(() => cache.stop());
  await t.close();
  t = await startTestApi({ redisUrl: redis.url, env: { CACHE_REDIS_URL: cache.url } });
  startTextWorker();
  const askAgain = async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"documents":["kept"]}' };
    const response = await fetch(`${t.url}/api/v1/topics`, { ...init, signal: bound() });
    await response.body?.cancel();
    return `${response.status} ${response.headers.get('x-cache')}`;
  };
  // What was asked before the cache was connected is not kept.
  await until(async () => (await askAgain()) === '200 hit', 'the answer to be kept');
  redis.signal('SIGSTOP');
  expect(await askAgain()).toBe('200 hit');
  expect(await askTopics()).toBe('503 queue_unavailable after 2');
});

const isQueueUp = async () => /^dependency_up\{.*dependency="queue".*\} (\d)$/m.exec(await t.metrics.text())?.[1];

async function breakerState(): Promise<string | undefined> {
  const lines = (await t.metrics.text()).split('\n');
  const found = lines.find((line) => /^circuit_breaker_state\{.*dependency="queue"/.test(line) && line.endsWith(' 1'));
  return found && /state="(\w+)"/.exec(found)?.[1];
}
