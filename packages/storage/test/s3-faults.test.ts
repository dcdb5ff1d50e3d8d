import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Place } from '@studymate/contracts/places';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBufferPlaces } from '../src/buffer-places.ts';
import { createS3BlobStore } from '../src/s3-blob-store.ts';
import { createS3Client } from '../src/s3-client.ts';
import { explainStoreFault } from '../src/store-fault.ts';
import { type MemoryS3, startMemoryS3 } from './support/memory-s3.ts';

const dayMs = 86_400_000;

let s3: MemoryS3;
let tempDir: string;
let told: string[];
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  s3 = await startMemoryS3();
  tempDir = await mkdtemp(join(tmpdir(), 'studymate-s3-'));
  told = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await s3.close();
  await rm(tempDir, { recursive: true });
});

async function open({ patienceMs = 6_000, graceMs = 30_000, options = s3.options as S3Place } = {}) {
  const client = createS3Client(options, { patienceMs });
  const watch = {
    onFault: (error: unknown) => void told.push(explainStoreFault(error) ?? String(error)),
    onBack: () => void told.push('back'),
  };
  const places = createBufferPlaces(2 ** 23);
  const store = await createS3BlobStore({ client, tempDir, maxBlobBytes: 2 ** 32, places, graceMs, watch });
  closing.push(() => store.close());
  return store;
}

describe('a server that accepts and never answers', () => {
  const hangs = { code: 'storage_unavailable', cause: { message: expect.stringContaining('no answer within') } };

  it('when the store is opened: keeps it for its grace only', async () => {
    s3.intercept = () => 'hang';
    // The test fails by its own time limit should it be kept for as long as a request may take.
    const store = await open({ graceMs: 50, patienceMs: 600_000 });
    // What the opening asks has not ended: a check is part of it, and no request of its own.
    void store.check().catch(() => undefined);
    void store.check().catch(() => undefined);
    await expect.poll(() => s3.requests).toEqual(['PUT ~check']);
    s3.intercept = () => null;
    s3.hangUp();
  });

  it('when it is asked: storage_unavailable after the time that it has, for those too that wait for a connection', async () => {
    const store = await open({ patienceMs: 1_500 });
    s3.intercept = () => 'hang';
    // More than there are connections, none of which becomes free.
    const asked = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => store.read(`a/${i}`)));
    for (const answer of asked) expect(answer).toMatchObject({ status: 'rejected', reason: hangs });
    s3.intercept = () => null;
    // On a busy machine one answer may take longer than this store's patience.
    await expect.poll(() => store.read('a/1').catch(() => 'away')).toBeNull();
  });

  it('when it is checked often: has one check to answer, and is told of once, and when it is back', async () => {
    const store = await open({ patienceMs: 1_500 });
    s3.requests.length = 0;
    s3.intercept = () => 'hang';
    for (let i = 0; i < 2; i++) {
      const checks = await Promise.allSettled(Array.from({ length: 20 }, () => store.check()));
      for (const check of checks) expect(check).toMatchObject({ status: 'rejected', reason: hangs });
    }
    expect(s3.requests.length).toBeLessThanOrEqual(8);
    s3.intercept = () => null;
    await expect.poll(() => store.check().catch(() => 'away')).toBeUndefined();
    expect(told).toEqual([expect.stringContaining('no answer within'), 'back']);
  });
});

describe('a key of the bucket that may not', () => {
  it.each([
    ['list', 'GET', '', ''],
    ['delete', 'DELETE', '~check-delete', ''],
    ['begin an upload in parts', 'POST', '~check', ''],
    ['see parts', 'GET', '~check', 'uploadId'],
    ['give up an upload', 'DELETE', '~check', 'uploadId'],
  ])('%s: is refused when the store is opened', async (_, method, key, parameter) => {
    s3.intercept = (asked) =>
      asked.method === method && asked.key === key && (!parameter || asked.query.has(parameter))
        ? 'AccessDenied'
        : null;
    await expect(open()).rejects.toMatchObject({
      message: 'The store cannot be used (AccessDenied).',
      cause: { name: 'S3Refusal' },
    });
  });

  it('list uploads in parts: can be used; nothing is aborted, local copies are swept, and that is told once', async () => {
    s3.intercept = ({ query }) => (query.has('uploads') && query.has('prefix') ? 'AccessDenied' : null);
    const store = await open();
    expect(await store.removeAbandoned()).toBe(0);
    expect(await store.removeAbandoned()).toBe(0);
    expect(told).toEqual([expect.stringContaining('AccessDenied')]);
  });
});

it('a server that is away at first: nothing is created before it has shown that it honours conditions', async () => {
  s3.intercept = () => 'hang';
  const store = await open({ graceMs: 10, patienceMs: 2_000 });
  await expect(store.check()).rejects.toMatchObject({ code: 'storage_unavailable' });
  // It takes every PUT for a free key.
  s3.intercept = ({ method, key }) => {
    if (method === 'PUT') s3.objects.delete(key);
    return null;
  };
  await expect(store.create('a', Buffer.from('1'))).rejects.toMatchObject({ cause: { name: 'S3Refusal' } });
  s3.intercept = () => null;
  expect(await store.create('a', Buffer.from('1'))).toBe(true);
});

it('https to a server without TLS: refused when the store is opened', async () => {
  const endpoint = s3.options.endpoint.replace('http:', 'https:');
  await expect(open({ options: { ...s3.options, endpoint } })).rejects.toMatchObject({
    code: 'storage_unavailable',
    cause: { code: 'EPROTO' },
  });
});

it('parts that cannot be put together, said after the status: are tried again, a few times', async () => {
  const store = await open();
  const isComplete = (method: string, query: URLSearchParams) => method === 'POST' && query.has('uploadId');
  let faults = 2;
  s3.intercept = ({ method, query }) => (isComplete(method, query) && faults-- > 0 ? 'late' : null);
  const whole = async function* () {
    yield Buffer.alloc(6_000_000);
  };
  expect((await store.put('media/a', whole())).bytes).toBe(6_000_000);
  s3.intercept = ({ method, query }) => (isComplete(method, query) ? 'late' : null);
  await expect(store.put('media/b', whole())).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await store.list('')).toEqual(['media/a']);
  expect(s3.uploads.size).toBe(0);
});

it('a local copy that nobody wants any more: is given up, and leaves no file', async () => {
  const store = await open();
  await store.put('media/a', Buffer.alloc(4_000_000));
  const reason = new Error('the lecture was cancelled');
  const controller = new AbortController();
  s3.intercept = ({ method }) => {
    if (method === 'GET') controller.abort(reason);
    return null;
  };
  await expect(store.openLocal('media/a', { signal: controller.signal })).rejects.toBe(reason);
  expect(await readdir(tempDir)).toEqual([]);
});

it('uploads in parts without a writer: are aborted after a day; those of names that are none of ours stay', async () => {
  const store = await open();
  for (const [id, key, ageMs] of [
    ['old', 'media/a', 2 * dayMs],
    ['probe', '~check', 2 * dayMs],
    ['young', 'media/b', dayMs / 2],
    ['foreign', 'some file of theirs', 2 * dayMs],
  ] as const) {
    s3.uploads.set(id, { key, begunMs: Date.now() - ageMs, parts: new Map() });
  }
  expect(await store.removeAbandoned()).toBe(2);
  expect([...s3.uploads.keys()]).toEqual(['young', 'foreign']);
});
