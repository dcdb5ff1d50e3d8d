import { once } from 'node:events';
import { request } from 'node:http';
import { createId } from '@studymate/contracts/ids';
import { defaultBacklog } from '@studymate/queue/estimate';
import { createRedis } from '@studymate/queue/redis';
import { spawnRedis, testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { Worker } from 'bullmq';
import { afterEach, describe, expect, test } from 'vitest';
import { createAdmission } from '../src/admission.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

let t: TestApi;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(env: Record<string, string>, redisUrl = testRedisUrl()): Promise<TestApi> {
  t = await startTestApi({ redisUrl, env });
  closing.push(t.close);
  return t;
}

/** A worker's connection, as the estimate sees it. It takes nothing. */
async function standByAsWorker(name: 'transcribe' | 'clips' | 'quick'): Promise<void> {
  const connection = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
  const worker = new Worker(name, async () => {}, { connection, prefix: t.config.redis.prefix, autorun: false });
  await worker.waitUntilReady();
  closing.push(async () => {
    await worker.close();
    connection.disconnect();
  });
}

/** Begins a request whose body never comes. @returns the answer */
async function sendHeadersOnly(path: string): Promise<{ status: number; body: string }> {
  const req = request(`${t.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '1000000' },
  });
  req.on('error', () => {});
  req.flushHeaders();
  const [response] = await once(req, 'response');
  let body = '';
  for await (const part of response) body += part;
  req.destroy();
  return { status: response.statusCode, body };
}

const upload = () => t.client.uploadLecture(toFile('sound'), { fresh: true });

describe('unfinished lectures of one owner at their limit', () => {
  test('a further upload: 429 with a code before its body is read, and nothing of it is kept', async () => {
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '2' });
    await upload();
    await upload();
    const files = await t.listFiles();
    const { status, body } = await sendHeadersOnly('/api/v1/lectures');
    expect(status).toBe(429);
    expect(JSON.parse(body).error).toMatchObject({ code: 'too_many_lectures', limit: 2, etaSeconds: null });
    expect(await t.listFiles()).toEqual(files);
  });

  test('a retry of an ended one: 429 as well, and nothing of it is dropped; with room it is taken', async () => {
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '1' });
    const { id } = await upload();
    await t.client.cancelLecture(id);
    await t.redis.del(t.keys.active, t.keys.work);
    const other = await upload();
    const before = await t.lectures.read(id);
    await expect(t.client.retryStage(id, 'ingest')).rejects.toMatchObject({ code: 'too_many_lectures' });
    expect(await t.lectures.read(id)).toEqual(before);
    await t.client.deleteLecture(other.id);
    expect(await t.client.retryStage(id, 'ingest')).toMatchObject({ id, status: 'queued' });
  });

  test('tell when there will be room, from what is left to do and how quick the worker is', async () => {
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '1' });
    await standByAsWorker('transcribe');
    const { id } = await upload();
    // 400 s of sound are left, at 0.115 s of transcription a second: 50 s of work in all, and two models to load.
    await t.redis.hset(t.keys.left, id, 400);
    await t.redis.hset(t.keys.pace, 'realTimeFactor', 0.115);
    const refusal = async () => {
      const response = await fetch(`${t.url}/api/v1/lectures`, { method: 'POST' });
      const { error } = (await response.json()) as { error: { etaSeconds: number } };
      return { etaSeconds: error.etaSeconds, retryAfter: Number(response.headers.get('retry-after')) };
    };
    // The backlog is read once a second.
    let refused = await refusal();
    const readEta = async () => {
      refused = await refusal();
      return refused.etaSeconds;
    };
    await expect.poll(readEta).toBeGreaterThanOrEqual(50);
    const { etaSeconds, retryAfter } = refused;
    expect(etaSeconds).toBeLessThan(60);
    expect(retryAfter).toBe(Math.ceil(etaSeconds));
  });

  test('an estimate also while what is known of the workers is older than the lecture in the way', async () => {
    const lecture = { id: createId(), owner: 'ada', leftSeconds: 400, hasBegun: true };
    const admission = createAdmission({
      limits: {
        maxActiveLectures: null,
        maxActiveLecturesPerOwner: 1,
        maxWaitingRequests: null,
        maxWaitingRequestsPerOwner: null,
      },
      breakers: { queue: { run: (work) => work() } },
      ownerSlots: { take: async () => null },
      active: { read: async () => [lecture] },
      pace: { readBacklog: async () => ({ ...defaultBacklog, workers: 1 }) },
      queues: { countShort: async () => 0 },
      submitter: { countWaiting: () => 0 },
    });
    const refused = admission.lecture('ada', async () => {});
    await expect(refused).rejects.toMatchObject({ details: { etaSeconds: expect.any(Number) } });
  });

  test('have room again as soon as one was cancelled or deleted', async () => {
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '1' });
    const first = await upload();
    await expect(upload()).rejects.toMatchObject({ code: 'too_many_lectures' });
    await t.client.cancelLecture(first.id);
    const second = await upload();
    await expect(upload()).rejects.toMatchObject({ code: 'too_many_lectures' });
    await t.client.deleteLecture(second.id);
    await upload();
  });

  test('leave room for another owner, until all together are too many', async () => {
    await start({ AUTH: 'keys', MAX_ACTIVE_LECTURES_PER_OWNER: '2', MAX_ACTIVE_LECTURES: '3' });
    const keys = createKeyStore({ blobs: t.blobs });
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map(async (owner) => t.clientFor((await keys.create({ owner, label: 'test' })).key)),
    );
    await ada?.uploadLecture(toFile('1'));
    await ada?.uploadLecture(toFile('2'));
    await expect(ada?.uploadLecture(toFile('3'))).rejects.toMatchObject({ code: 'too_many_lectures' });
    await bob?.uploadLecture(toFile('1'));
    await expect(bob?.uploadLecture(toFile('2'))).rejects.toMatchObject({ code: 'too_many_lectures' });
  });

  test('are not exceeded by uploads that come in at the same time', async () => {
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '3' });
    const all = await Promise.allSettled(Array.from({ length: 10 }, upload));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  test('are counted by what waits in the API while Redis is away', async () => {
    const own = await spawnRedis();
    closing.push(own.stop);
    await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '3' }, own.url);
    await upload();
    await upload();
    await own.kill();
    // What was known when the last one came in: the one before it. There is room for two.
    await upload();
    await upload();
    await expect(upload()).rejects.toMatchObject({ code: 'too_many_lectures' });
  });
});

describe('short requests at their limit', () => {
  test('a further clip or text: 429 with a code before its body is read', async () => {
    await start({ MAX_WAITING_REQUESTS: '1' });
    const leaving = new AbortController();
    const waiting = fetch(`${t.url}/api/v1/summarize`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'Nobody answers this.' }),
      signal: leaving.signal,
    }).catch(() => {});
    const queue = t.queues.all().get('quick');
    await expect.poll(() => queue?.getWaitingCount()).toBe(1);
    for (const path of ['/api/v1/transcribe', '/api/v1/topics', '/api/v1/chapters', '/api/v1/summarize/stream']) {
      const { status, body } = await sendHeadersOnly(path);
      expect([path, status]).toEqual([path, 429]);
      expect(JSON.parse(body).error).toMatchObject({ code: 'queue_full', limit: 1 });
    }
    leaving.abort();
    await waiting;
  });

  test('have room again as soon as a caller has gone, and its work is not done', async () => {
    await start({ MAX_WAITING_REQUESTS: '1' });
    const clip = new FormData();
    clip.set('file', toFile('sound'));
    /** Of a request that is wrong, which is seen when there is room for it only. */
    const statusOfWrong = async () => (await fetch(`${t.url}/api/v1/topics`, { method: 'POST', body: '{' })).status;
    for (const request of [
      { path: 'transcribe', body: clip, queue: t.queues.all().get('clips') },
      {
        path: 'summarize',
        queue: t.queues.all().get('quick'),
        body: '{"text":"Nobody answers this."}',
        headers: { 'content-type': 'application/json' },
      },
      {
        path: 'topics',
        queue: t.queues.all().get('quick'),
        body: '{"documents":["Nor this."]}',
        headers: { 'content-type': 'application/json' },
      },
    ]) {
      const leaving = new AbortController();
      const { path, queue, ...init } = request;
      const left = fetch(`${t.url}/api/v1/${path}`, { method: 'POST', ...init, signal: leaving.signal }).then(
        (response) => response.status,
        () => 'left',
      );
      await expect.poll(() => queue?.getWaitingCount(), { message: path }).toBe(1);
      leaving.abort();
      expect(await left).toBe('left');
      await expect.poll(() => queue?.getWaitingCount(), { message: path }).toBe(0);
      await expect.poll(statusOfWrong, { message: path }).toBe(415);
    }
  });
});
