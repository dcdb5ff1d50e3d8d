import { Worker } from 'bullmq';
import { afterEach, expect, test } from 'vitest';
import { createQueues } from '../src/queues.ts';
import { createQuickCalls, type QuickResult } from '../src/quick.ts';
import { createRedis } from '../src/redis.ts';
import { spawnRedis } from './support/redis.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const prefix = '{quick}';

/** Calls over a Redis of the test's own. */
async function open() {
  /** Done between the adding of a job and the wait for its end. */
  const hooks = { afterAdding: async () => {}, isWatched: false, hasWorker: true };
  const redis = await spawnRedis();
  closers.push(() => redis.stop());
  const connect = (kind: 'producer' | 'consumer') => {
    const connection = createRedis({ url: redis.url, kind, onError: () => {} });
    closers.push(() => connection.disconnect());
    return connection;
  };
  const producer = connect('producer');
  await new Promise((resolve) => producer.once('ready', resolve));
  const queues = createQueues({ redis: producer, prefix });
  /** Resolves with the first command after what was done then. */
  let isAdded = false;
  const asked = new Promise<void>((resolve) => {
    const send = producer.sendCommand.bind(producer);
    producer.sendCommand = (...command) => {
      if (isAdded) resolve();
      return send(...command);
    };
  });
  const calls = createQuickCalls({
    queues: {
      ...queues,
      async addQuickJob(data, jobId) {
        const job = await queues.addQuickJob(data, jobId);
        await hooks.afterAdding();
        isAdded = hooks.isWatched;
        return job;
      },
    },
    eventsConnection: connect('consumer'),
    prefix,
    hasWorker: async () => hooks.hasWorker,
    timings: { graceMs: 100, lookAgainMs: 20 },
  });
  const work = (answer: () => Promise<QuickResult>) => {
    const worker = new Worker('quick', answer, { connection: connect('consumer'), prefix });
    closers.push(() => worker.close(true));
    return worker;
  };
  const call = (timeoutMs = 60_000) => calls.call({ kind: 'opening', text: 'a text' }, { timeoutMs });
  return { call, calls, work, queues, redis, asked, hooks };
}

test('Redis dies while it is asked how far a job is: queue_unavailable, and nothing is left that fails later', async () => {
  // A rejection that nobody handles would end the process: the test runner counts it as a failure.
  const { call, work, asked, redis, hooks } = await open();
  const worker = work(async () => ({ ok: true, value: 'all listen' }));
  await call();
  await worker.close();
  hooks.isWatched = true;
  hooks.afterAdding = async () => redis.signal('SIGSTOP');
  const answer = expect(call()).rejects.toMatchObject({ code: 'queue_unavailable' });
  await asked;
  await redis.kill();
  await answer;
});

test('a job that is done before anybody listens: its answer is found', async () => {
  let done = (): void => {};
  const isDone = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { call, work, hooks } = await open();
  hooks.afterAdding = () => isDone;
  const worker = work(async () => ({ ok: true, value: 'early' }));
  worker.on('completed', () => done());
  expect(await call()).toBe('early');
});

test('a job that is done later, one that throws, and one that nobody does', async () => {
  const { call, work, queues } = await open();
  const late = call();
  const worker = work(async () => ({ ok: true, value: 'late' }));
  expect(await late).toBe('late');
  await worker.close();
  work(async () => {
    throw new Error('it broke');
  });
  await expect(call()).rejects.toMatchObject({ code: 'queue_unavailable' });
  await queues.all().get('quick')?.pause();
  await expect(call(50)).rejects.toMatchObject({ code: 'timeout' });
});

test('a call while there is no worker: no_worker after a moment, nothing is left to do; one that comes in time does it', async () => {
  const { call, work, queues, hooks } = await open();
  hooks.hasWorker = false;
  await expect(call()).rejects.toMatchObject({ code: 'no_worker', details: { retryAfterSeconds: 10 } });
  expect(await queues.countShort()).toBe(0);
  const late = call();
  hooks.hasWorker = true;
  work(async () => ({ ok: true, value: 'in time' }));
  expect(await late).toBe('in time');
});

test('a job that is being done by a worker that does not say so: it is waited for', async () => {
  const { call, work, hooks } = await open();
  let isBegun = false;
  let looks = 0;
  let done = (): void => {};
  const lookedOften = new Promise<void>((resolve) => {
    done = resolve;
  });
  Object.defineProperty(hooks, 'hasWorker', {
    get() {
      // Far beyond the grace of 100 ms.
      if (isBegun && ++looks === 15) done();
      return !isBegun;
    },
  });
  work(async () => {
    isBegun = true;
    await lookedOften;
    return { ok: true, value: 'done' };
  });
  expect(await call()).toBe('done');
});

test('work that others share: no_worker as well, and it stays to be done', async () => {
  const { calls, queues, hooks } = await open();
  hooks.hasWorker = false;
  const shared = calls.call({ kind: 'opening', text: 'a text' }, { timeoutMs: 60_000, sharedId: 'shared' });
  await expect(shared).rejects.toMatchObject({ code: 'no_worker' });
  expect(await queues.countShort()).toBe(1);
});

test('untilWorker: none for a moment, one that appears, a caller that leaves', async () => {
  const { calls, hooks } = await open();
  const { signal } = new AbortController();
  await calls.untilWorker('speech', signal);
  hooks.hasWorker = false;
  await expect(calls.untilWorker('speech', signal)).rejects.toMatchObject({ code: 'no_worker' });
  const leaving = new AbortController();
  const left = expect(calls.untilWorker('speech', leaving.signal)).rejects.toMatchObject({ code: 'cancelled' });
  leaving.abort();
  await left;
  const found = calls.untilWorker('speech', signal);
  hooks.hasWorker = true;
  await found;
});
