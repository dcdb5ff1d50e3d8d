import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type StudyMateClient } from '@studymate/client/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flushRedis } from './support/flush-redis.ts';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from './support/running-system.ts';

/** The operator's command line as it is called, beside the running whole. */
let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ AUTH: 'keys' });
});
afterAll(() => system.close());

function studymate(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return studymateWith({}, ...args);
}

function studymateWith(
  settings: Record<string, string>,
  ...args: string[]
): Promise<{ status: number; out: string; err: string }> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AUTH: 'keys',
    DATA_DIR: system.dataDir,
    REDIS_URL: system.redisUrl,
    PORT: new URL(system.baseUrl).port,
    INTERNAL_PORT: new URL(system.internalUrl).port,
    WORKER_INTERNAL_PORT: new URL(system.workerUrl).port,
    MAX_UPLOAD_BYTES: '1000000',
    ...settings,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(rootDir, 'scripts/studymate.mjs'), ...args], { env }, (error, out, err) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

async function makeClient(owner: string): Promise<{ client: StudyMateClient; key: string; keyId: string }> {
  const { out } = await studymate('keys', 'create', '--owner', owner, '--json');
  const { key, id } = JSON.parse(out);
  return { client: createClient({ baseUrl: system.baseUrl, apiKey: key }), key, keyId: id };
}

async function waitForEnd(client: StudyMateClient, lectureId: string): Promise<string> {
  for await (const event of client.followLecture(lectureId)) if (event.type === 'end') return event.status;
  throw new Error('the events ended without an end');
}

test('keys are made and revoked while the API runs; each owner has what is theirs', async () => {
  await expect(system.client.listLectures()).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
  const ada = await makeClient('ada');
  const bob = await makeClient('bob');
  const { id } = await ada.client.uploadLecture(await excerpt('lecture.mp3', 0, 10));
  expect(await waitForEnd(ada.client, id)).toBe('ready');
  expect((await ada.client.getTranscript(id)).text).not.toBe('');
  await expect(bob.client.getTranscript(id)).rejects.toMatchObject({ status: 404 });
  expect((await bob.client.listLectures()).lectures).toEqual([]);

  expect((await studymate('keys', 'revoke', bob.keyId)).status).toBe(0);
  const isRefused = () =>
    bob.client.listLectures().then(
      () => false,
      (error) => error.status === 401,
    );
  await expect.poll(isRefused).toBe(true);
});

test('Redis loses everything, reindex brings it back: what was under way ends, what had failed is listed', async () => {
  const { client } = await makeClient('eve');
  const broken = await client.uploadLecture(new File(['no recording'], 'notes.mp3', { type: 'audio/mpeg' }));
  expect(await waitForEnd(client, broken.id)).toBe('failed');
  const running = await client.uploadLecture(await excerpt('lecture.mp3', 0, 45));
  for await (const event of client.followLecture(running.id)) if (event.type === 'segments') break;

  await flushRedis(system.redisUrl);
  const { status, out } = await studymate('reindex', '--json');
  expect([status, JSON.parse(out)]).toMatchObject([0, { failedJobs: 1, unreadable: [] }]);
  expect(await waitForEnd(client, running.id)).toBe('ready');

  const listed = JSON.parse((await studymate('failed', 'list', '--owner', 'eve', '--json')).out);
  expect(listed.jobs).toMatchObject([{ lectureId: broken.id, stage: 'ingest', code: 'not_media' }]);
  expect((await studymate('failed', 'retry', '--lecture', broken.id)).status).toBe(0);
  expect(await waitForEnd(client, broken.id)).toBe('failed');
  expect((await client.getLecture(broken.id)).stages[0]?.error?.code).toBe('not_media');
});

test('the doctor finds nothing wrong with what runs', async () => {
  const { status, out } = await studymate('doctor', '--json');
  const { findings } = JSON.parse(out) as { findings: { name: string; state: string; message: string }[] };
  expect(findings.filter(({ state }) => state === 'failure')).toEqual([]);
  expect(status).toBe(0);
  const messagesOf = (name: string) =>
    findings.filter((finding) => finding.name === name).map(({ message }) => message);
  expect(messagesOf('workers')).toEqual(['1 connected to the queue']);
  expect(messagesOf('api').every((message) => message.startsWith('ready on'))).toBe(true);
  expect(messagesOf('worker')[0]).toMatch(/^ready on .*, (last progress .* ago|its models have not worked yet)$/);
});

test('a backup made while it runs, restored beside an empty Redis: lectures, recordings and keys are there', async () => {
  const { client, key } = await makeClient('mia');
  const { id } = await client.uploadLecture(await excerpt('lecture.mp3', 40, 10));
  expect(await waitForEnd(client, id)).toBe('ready');
  await client.editTranscript(id, [{ id: 0, text: 'Corrected by hand.' }]);
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-backup-'));
  const restored = path.join(dir, 'restored');
  try {
    expect((await studymate('backup', path.join(dir, 'backup'))).status).toBe(0);
    expect((await studymateWith({ DATA_DIR: restored }, 'restore', path.join(dir, 'backup'))).status).toBe(0);
    const other = await startSystem({ AUTH: 'keys', DATA_DIR: restored });
    try {
      const there = createClient({ baseUrl: other.baseUrl, apiKey: key });
      expect(await there.getLecture(id)).toEqual(await client.getLecture(id));
      expect(await there.getTranscript(id)).toEqual(await client.getTranscript(id));
      expect(await there.listTranscriptVersions(id)).toEqual(await client.listTranscriptVersions(id));
      const headers = { 'x-api-key': key };
      const media = (url: string) => fetch(url, { headers }).then((response) => response.arrayBuffer());
      expect(await media(there.mediaUrl(id))).toEqual(await media(client.mediaUrl(id)));
      await expect(other.client.getLecture(id)).rejects.toMatchObject({ status: 401 });
    } finally {
      await other.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
