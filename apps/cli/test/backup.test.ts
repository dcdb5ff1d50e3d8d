import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from './support/cli.ts';
import { addLecture, finished, openTestStore, type TestStore } from './support/store.ts';

let store: TestStore;
let dir: string;
beforeEach(async () => {
  store = await openTestStore();
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-backup-'));
});
afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true });
});

const env = (dataDir: string) => ({ ...store.env, DATA_DIR: dataDir });

test('a backup and its restore elsewhere: everything is there, and reindex takes up what was unfinished', async () => {
  const waiting = await addLecture(store);
  const done = await addLecture(store, finished);
  await store.blobs.put(done.media.key, Buffer.from('sound'));
  const backup = path.join(dir, 'backup');
  const made = await cli(['backup', backup, '--json'], store.env);
  expect([made.status, JSON.parse(made.out)]).toMatchObject([0, { kept: 0 }]);
  await store.loseRedis();

  const restored = path.join(dir, 'restored');
  const result = await cli(['restore', backup], env(restored));
  expect(result).toMatchObject({ status: 0, out: expect.stringContaining('restored from') });
  const blobs = await createFileBlobStore({ rootDir: restored });
  expect(await blobs.list('')).toEqual(await store.blobs.list(''));
  expect(await blobs.read(done.media.key)).toEqual(Buffer.from('sound'));
  await blobs.close();
  const { out } = await cli(['reindex', '--json'], env(restored));
  expect(JSON.parse(out)).toMatchObject({ lectures: 2, unfinished: 1 });
  const jobs = (await store.queues.all().get('ingest')?.getJobs()) ?? [];
  expect(jobs.map((job) => job.data.lectureId)).toEqual([waiting.id]);
});

test('a folder that is no backup, one in the store, none or two: refused, and nothing is made', async () => {
  await addLecture(store);
  const none = await cli(['restore', path.join(dir, 'none')], env(path.join(dir, 'new')));
  expect(none).toMatchObject({ status: 1, err: expect.stringContaining('There is no backup in') });
  for (const args of [['backup', path.join(store.dir, 'inside')], ['backup'], ['restore', 'a', 'b']]) {
    expect((await cli(args, store.env)).status).toBe(2);
  }
});
