import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { recordKey } from '@studymate/storage/lecture-keys';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from './support/cli.ts';
import { addLecture, finished, openTestStore, summaryFailed, type TestStore } from './support/store.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const reindex = async () => {
  const result = await cli(['reindex', '--json'], store.env);
  return { ...result, found: JSON.parse(result.out || 'null') };
};

test('Redis has lost everything: unfinished lectures are listed and queued again, failed stages are listed', async () => {
  const waiting = [await addLecture(store), await addLecture(store, { owner: 'bob' })];
  await addLecture(store, finished);
  const broken = await addLecture(store, summaryFailed);
  await addLecture(store, { cancelledAt: '2026-01-01T00:00:00.000Z' });
  await store.loseRedis();

  const { status, found } = await reindex();
  expect([status, found]).toEqual([
    0,
    { lectures: 5, unfinished: 2, failedJobs: 1, deletionsFinished: 0, unreadable: [] },
  ]);
  const jobs = (await store.queues.all().get('ingest')?.getJobs()) ?? [];
  expect(jobs.map((job) => job.data.lectureId).sort()).toEqual(waiting.map(({ id }) => id).sort());
  const listed = await cli(['failed', 'list', '--json'], store.env);
  expect(JSON.parse(listed.out)).toMatchObject({ jobs: [{ lectureId: broken.id, stage: 'summary' }] });
});

test('run twice, and beside another one: every job is there once', async () => {
  await addLecture(store);
  await addLecture(store);
  const counts = async () => store.queues.all().get('ingest')?.getJobCounts();
  await reindex();
  const once = await counts();
  await Promise.all([reindex(), reindex()]);
  expect(await counts()).toEqual(once);
});

test('a record that is damaged: named, status 1, and all others are restored', async () => {
  const damaged = await addLecture(store);
  await store.blobs.put(recordKey(damaged.id, 1), Buffer.from('{'));
  await addLecture(store);
  const { status, found, err } = await reindex();
  expect(status).toBe(1);
  expect(found).toMatchObject({ lectures: 1, unfinished: 1, unreadable: [{ lectureId: damaged.id }] });
  expect(err).toContain(damaged.id);
});

test('Redis does not answer: status 1, its address without the password, and nothing else', async () => {
  await addLecture(store);
  const result = await cli(['reindex'], { ...store.env, REDIS_URL: 'redis://:secret@127.0.0.1:1' });
  expect(result).toMatchObject({ status: 1, out: '' });
  expect(result.err).toContain('127.0.0.1:1 (REDIS_URL)');
  expect(result.err).not.toContain('secret');
});

test('what answers is no Redis, or says nothing: status 1 within seconds', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  const mail = createServer((socket) => socket.end('220 mail\r\n')).listen(0, '127.0.0.1');
  try {
    for (const server of [silent, mail]) {
      if (!server.listening) await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const result = await cli(['reindex'], { ...store.env, REDIS_URL: `redis://127.0.0.1:${port}` });
      expect(result).toMatchObject({ status: 1, out: '' });
      expect(result.err).toContain(`127.0.0.1:${port} (REDIS_URL)`);
    }
  } finally {
    silent.close();
    mail.close();
  }
});

test('what Redis refuses to do: status 1 and its own words', async () => {
  await addLecture(store);
  // As a replica does, and a Redis whose memory is full; here the type of the key is what it does not take.
  await store.redis.set(store.keys.failed, 'no list');
  const result = await cli(['reindex'], store.env);
  expect(result).toMatchObject({ status: 1, out: '' });
  expect(result.err).toMatch(/^Redis: WRONGTYPE/);
});

test('an empty store: nothing to do, status 0', async () => {
  expect(await reindex()).toMatchObject({ status: 0, found: { lectures: 0, unfinished: 0, failedJobs: 0 } });
});
