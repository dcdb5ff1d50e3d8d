import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createId } from '@studymate/contracts/ids';
import { spawnRedis, testRedisUrl } from '@studymate/queue/testing';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { createPartialFiles } from '@studymate/storage/partial-files';
import { createUploadStore } from '@studymate/storage/upload-store';
import { afterEach, describe, expect, test } from 'vitest';
import { anonymousOwner } from '../src/auth/owner.ts';
import { receivePart } from '../src/uploads/receive-part.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';
import { askTus, beginUpload, makeLectureOf, sendPart, toUploadId } from './support/tus.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(env: Record<string, string>, redisUrl = testRedisUrl()): Promise<TestApi> {
  const t = await startTestApi({ redisUrl, env });
  closing.push(t.close);
  return t;
}

const begin = (t: TestApi) => askTus(t, 'POST', '/api/v1/uploads', { 'upload-length': '3' });

async function uploadWhole(t: TestApi, bytes = 'abc'): Promise<string> {
  const target = await beginUpload(t, bytes.length);
  await sendPart(t, target, 0, bytes);
  return toUploadId(target);
}

describe('uploads of one owner that are no lecture yet', () => {
  test('at their limit: another one is refused with 429, until one has ended or become a lecture', async () => {
    const t = await start({ MAX_UNFINISHED_UPLOADS_PER_OWNER: '2' });
    const first = await beginUpload(t, 3);
    const second = await uploadWhole(t);
    expect(await begin(t)).toMatchObject({ status: 429, code: 'too_many_uploads', body: { limit: 2 } });
    expect((await askTus(t, 'DELETE', first)).status).toBe(204);
    await beginUpload(t, 3);
    expect((await begin(t)).status).toBe(429);
    expect((await makeLectureOf(t, { uploadId: second })).status).toBe(202);
    expect((await begin(t)).status).toBe(201);
  });

  test('begun in a burst: are as many as the limit, and no more', async () => {
    const t = await start({ MAX_UNFINISHED_UPLOADS_PER_OWNER: '3' });
    const answers = await Promise.all(Array.from({ length: 12 }, () => begin(t)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(9);
  });
});

test('an upload that has expired: 410 with a code for whatever is asked of it, and it counts for nothing', async () => {
  const t = await start({ UPLOAD_TTL_SECONDS: '1', MAX_UNFINISHED_UPLOADS_PER_OWNER: '1' });
  const target = await beginUpload(t, 3);
  await sendPart(t, target, 0, 'abc');
  await until(async () => (await askTus(t, 'HEAD', target)).status === 410, 'the expiry');
  expect(await sendPart(t, target, 3, '')).toMatchObject({ status: 410, code: 'upload_gone' });
  const refused = await makeLectureOf(t, { uploadId: toUploadId(target) });
  expect([refused.status, refused.json.error.code]).toEqual([410, 'upload_gone']);
  expect((await begin(t)).status).toBe(201);
});

test('unfinished lectures at their limit: the upload is kept, and a lecture that is there is given all the same', async () => {
  const t = await start({ MAX_ACTIVE_LECTURES_PER_OWNER: '1' });
  const [first, second] = [await uploadWhole(t), await uploadWhole(t)];
  const made = await makeLectureOf(t, { uploadId: first });
  const refused = await makeLectureOf(t, { uploadId: second });
  expect([refused.status, refused.json.error.code]).toEqual([429, 'too_many_lectures']);
  const again = await makeLectureOf(t, { uploadId: first });
  expect([again.status, again.json.id]).toEqual([202, made.json.id]);
  await t.client.deleteLecture(made.json.id);
  expect((await makeLectureOf(t, { uploadId: second })).status).toBe(202);
});

test('an upload of somebody else: 404 for whatever is asked of it, as if it had never been', async () => {
  const t = await start({ AUTH: 'keys' });
  const keys = createKeyStore(t);
  const [ada, bob] = await Promise.all(
    ['ada', 'bob'].map(async (owner) => ({ 'x-api-key': (await keys.create({ owner, label: '' })).key })),
  );
  if (!ada || !bob) throw new Error('no keys');
  const target = await beginUpload(t, 3, ada);
  const others = [
    await askTus(t, 'HEAD', target, bob),
    await sendPart(t, target, 0, 'abc', bob),
    await askTus(t, 'DELETE', target, bob),
  ];
  expect(others.map(({ status }) => status)).toEqual([404, 404, 404]);
  const never = await sendPart(t, `/api/v1/uploads/${createId()}`, 0, 'abc', bob);
  expect(others[1]?.body.message).toBe(never.body.message);
  expect((await askTus(t, 'HEAD', target)).status).toBe(401);
  expect((await sendPart(t, target, 0, 'abc', ada)).status).toBe(204);
  const uploadId = toUploadId(target);
  expect((await makeLectureOf(t, { uploadId }, bob)).status).toBe(404);
  expect((await makeLectureOf(t, { uploadId }, ada)).status).toBe(202);
  expect((await makeLectureOf(t, { uploadId }, bob)).status).toBe(404);
});

test('uploads while Redis is away: their offset can be asked for, all else gets queue_unavailable, and they go on after', async () => {
  const redis = await spawnRedis();
  closing.push(() => redis.stop());
  const t = await start({}, redis.url);
  const target = await beginUpload(t, 3);
  await sendPart(t, target, 0, 'ab');
  await redis.kill();
  const head = await askTus(t, 'HEAD', target);
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '2']);
  const unavailable = { status: 503, code: 'queue_unavailable' };
  expect(await sendPart(t, target, 2, 'c')).toMatchObject(unavailable);
  expect((await makeLectureOf(t, { uploadId: toUploadId(target) })).json.error.code).toBe('queue_unavailable');
  await redis.start();
  await until(async () => (await sendPart(t, target, 2, 'c')).status !== 503, 'the part');
  expect((await makeLectureOf(t, { uploadId: toUploadId(target) })).status).toBe(202);
});

test('a process that died between the steps to a lecture: who asks again gets the one that was to be', async () => {
  const t = await start({});
  const blobs = await createFileBlobStore({ rootDir: t.config.dataDir });
  closing.push(() => blobs.close());
  const uploads = createUploadStore({ blobs, partials: await createPartialFiles({ rootDir: t.config.dataDir }) });
  const steps = ['claimed', 'published'] as const;
  for (const step of steps) {
    const upload = { owner: anonymousOwner, id: await uploadWhole(t, step), bytes: step.length };
    const lectureId = await uploads.claimLecture(upload, createId());
    if (step === 'published') await uploads.publish(upload);
    const { status, json } = await makeLectureOf(t, { uploadId: upload.id });
    expect([status, json.id]).toEqual([202, lectureId]);
    const record = await t.lectures.read(lectureId);
    expect(String(await blobs.read(record?.media.key ?? ''))).toBe(step);
  }
});

describe('a part of which no more comes', () => {
  /** @returns the server's side of a request of which only the beginning comes */
  async function beginRequest(text: string) {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const sender = request({ port, host: '127.0.0.1', method: 'PATCH', headers: { 'content-length': '1000' } });
    sender.on('error', () => {});
    sender.write(text);
    const [req] = (await once(server, 'request')) as [IncomingMessage];
    closing.push(() => {
      sender.destroy();
      server.closeAllConnections();
      server.close();
    });
    return req;
  }
  const never = new AbortController().signal;

  test('is given up, and what came counts', async () => {
    const req = await beginRequest('abc');
    const written: string[] = [];
    const received = receivePart(req, {
      maxBytes: 1000,
      giveWay: never,
      minimum: { minBytes: 5, windowMs: 300 },
      async write(bytes) {
        written.push(String(bytes));
      },
    });
    await expect(received).rejects.toMatchObject({ code: 'timeout' });
    expect(written).toEqual(['abc']);
  });
});
