import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { recordKey } from '@studymate/storage/lecture-keys';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { toTar, toTarFile } from '../src/export/tar.ts';
import { finishLecture, makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
let key: string;
let dir: string;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  key = (await createKeyStore(t).create({ owner: 'ada', label: '' })).key;
});
afterAll(async () => {
  await t?.close();
});
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-export-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Unpacked by the system's own tar. @returns names of the files, in order of the alphabet */
async function unpack(archive: Uint8Array): Promise<string[]> {
  const file = path.join(dir, 'export.tar');
  await writeFile(file, archive);
  await promisify(execFile)('tar', ['-xf', file, '-C', dir]);
  await rm(file);
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name))).sort();
}
const readJson = async (name: string) => JSON.parse(await readFile(path.join(dir, name), 'utf8'));
const ask = (query = '', headers: Record<string, string> = { 'x-api-key': key }) =>
  fetch(`${t.url}/api/v1/export${query}`, { headers });

test('all that an owner has: courses, lectures, their parts and recordings, and nothing of others', async () => {
  const client = t.clientFor(key);
  const course = await client.createCourse('Printing');
  await client.addMember(course.id, 'bob');
  const done = await makeLecture(t, { owner: 'ada', courseId: course.id });
  const transcript = { language: 'en', text: 'Grüße 🎓', segments: [] };
  await finishLecture(t, done.id, {
    assemble: transcript,
    chapters: [],
    topics: [],
    summary: { statements: [], keyTerms: [] },
  });
  const begun = await makeLecture(t, { owner: 'ada' });
  const damaged = await makeLecture(t, { owner: 'ada' });
  await t.blobs.put(recordKey(damaged.id, 2), Buffer.from('{'));
  await makeLecture(t, { owner: 'bob' });
  await makeLecture(t, { owner: 'ada', transientUntil: '2030-01-01T00:00:00.000Z' });

  const response = await ask('?media=true');
  expect(response.headers.get('content-type')).toBe('application/x-tar');
  const names = await unpack(new Uint8Array(await response.arrayBuffer()));
  const parts = ['chapters.json', 'lecture.json', 'recording.mp3', 'summary.json', 'topics.json', 'transcript.json'];
  expect(names).toEqual(
    [
      `courses/${course.id}.json`,
      'export.json',
      ...parts.map((name) => `lectures/${done.id}/${name}`),
      `lectures/${begun.id}/lecture.json`,
      `lectures/${begun.id}/recording.mp3`,
    ].sort(),
  );
  expect(await readJson(`courses/${course.id}.json`)).toMatchObject({ title: 'Printing', members: ['bob'] });
  expect(await readJson(`lectures/${done.id}/transcript.json`)).toEqual({ ...transcript, version: 0 });
  expect(await readJson(`lectures/${done.id}/lecture.json`)).toMatchObject({ id: done.id, media: { bytes: 10 } });
  expect(await readFile(path.join(dir, `lectures/${done.id}/recording.mp3`), 'utf8')).toBe('0123456789');
  expect(await readJson('export.json')).toMatchObject({
    owner: 'ada',
    withMedia: true,
    lectureCount: 2,
    problems: [{ id: damaged.id, part: 'lecture', code: 'internal' }],
  });

  const without = await unpack(new Uint8Array(await (await ask()).arrayBuffer()));
  expect(without).toContain(`lectures/${begun.id}/lecture.json`);
  expect((await readJson('export.json')).withMedia).toBe(false);
});

test('HEAD, and a question that is none', async () => {
  const head = await fetch(`${t.url}/api/v1/export`, { method: 'HEAD', headers: { 'x-api-key': key } });
  expect([head.status, head.headers.get('content-disposition')]).toEqual([
    200,
    expect.stringContaining('studymate-export.tar'),
  ]);
  expect((await ask('?media=perhaps')).status).toBe(400);
});

test('a second export while one runs: 429; when its caller has gone, the next is taken', async () => {
  const keys = createKeyStore(t);
  const owner = { 'x-api-key': (await keys.create({ owner: 'eve', label: '' })).key };
  const { media } = await makeLecture(t, { owner: 'eve' });
  // Larger than what the connection holds, so that it waits for its reader.
  await t.blobs.put(media.key, new Uint8Array(64 * 1024 * 1024));
  const leaving = new AbortController();
  const first = await fetch(`${t.url}/api/v1/export?media=true`, { headers: owner, signal: leaving.signal });
  expect(first.status).toBe(200);
  const second = await ask('', owner);
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '30']);
  leaving.abort();
  for (;;) {
    const next = await ask('', owner);
    await next.arrayBuffer();
    if (next.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('a fault in the middle: the archive breaks off and the log says why; a caller who leaves is no fault', async () => {
  const owner = { 'x-api-key': (await createKeyStore(t).create({ owner: 'mary', label: '' })).key };
  const { media } = await makeLecture(t, { owner: 'mary' });
  // Larger than what the connection holds, so that it waits for its reader.
  const bytes = 64 * 1024 * 1024;
  await t.blobs.put(media.key, new Uint8Array(bytes));
  const faults = () => t.log.filter(({ msg }) => msg === 'request failed');
  expect(faults()).toEqual([]);
  const response = await fetch(`${t.url}/api/v1/export?media=true`, { headers: owner });
  const reader = response.body?.getReader();
  const readUpTo = async (wantedBytes: number) => {
    for (let read = 0; read < wantedBytes; ) {
      const part = await reader?.read();
      if (!part || part.done) return 'the end';
      read += part.value.length;
    }
    return 'more';
  };
  // Its length has been said by now.
  expect(await readUpTo(1024 * 1024)).toBe('more');
  await truncate(path.join(t.config.dataDir, media.key), bytes / 2);
  await expect(readUpTo(Number.POSITIVE_INFINITY)).rejects.toThrow();
  await vi.waitFor(() => expect(faults()).toHaveLength(1), { timeout: 90_000 });
  expect(JSON.stringify(faults())).toContain('The blob is shorter than it was.');
});

test('toTar: a file of more than 8 GiB is announced as what it is', async () => {
  const bytes = 9 * 1024 ** 3 + 5;
  async function* files() {
    yield { ...toTarFile('big.mp3', '', 1_700_000_000_000), bytes };
  }
  const parts: Uint8Array[] = [];
  await expect(async () => {
    for await (const part of toTar(files())) parts.push(part);
  }).rejects.toThrow('0 bytes and not');
  const file = path.join(dir, 'big.tar');
  await writeFile(file, Buffer.concat(parts));
  // Its content is missing here, so that tar ends with a complaint after it has told name and size.
  const told = await promisify(execFile)('tar', ['-tvf', file]).catch((error: { stdout: string }) => error);
  expect(told.stdout).toMatch(new RegExp(`\\b${bytes}\\b.*big\\.mp3`));
});

test('toTar: files of any length; one that is longer than it said breaks the archive off', async () => {
  const sizes = [0, 1, 511, 512, 513, 100_000];
  async function* files() {
    for (const size of sizes) yield toTarFile(`f${size}.txt`, 'x'.repeat(size), 1_700_000_000_000);
  }
  const parts: Uint8Array[] = [];
  for await (const part of toTar(files())) parts.push(part);
  await unpack(Buffer.concat(parts));
  for (const size of sizes) expect((await readFile(path.join(dir, `f${size}.txt`))).length).toBe(size);
  async function* wrong() {
    yield { ...toTarFile('a', 'four', 0), bytes: 3 };
  }
  const read = async () => {
    for await (const part of toTar(wrong())) parts.push(part);
  };
  await expect(read()).rejects.toThrow('4 bytes and not 3');
});
