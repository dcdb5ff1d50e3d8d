import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ApiError } from '@studymate/client/api-error';
import { testRedisUrl } from '@studymate/queue/testing';
import { mediaPrefix } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

let t: TestApi;
const maxUploadBytes = 300_000;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { MAX_UPLOAD_BYTES: String(maxUploadBytes) } });
});
afterAll(async () => {
  await t?.close();
});

const mediaCount = async () => (await t.blobs.list(mediaPrefix)).length;

async function post(body: RequestInit['body'], headers: Record<string, string> = {}) {
  const response = await fetch(`${t.url}/api/v1/lectures`, { method: 'POST', headers, ...(body && { body }) });
  return { response, json: (await response.json()) as { error: { code: string; requestId: string } } };
}

function toForm(parts: [string, string | File][]): FormData {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  return form;
}

test('upload with fields before and after the file: 202, Location, the bytes hashed and kept, ingest queued', async () => {
  const { id: courseId } = await t.client.createCourse('Printing');
  const file = toFile('the sound of printing');
  const form = toForm([
    ['title', '  The press  '],
    ['file', file],
    ['language', 'German'],
    ['courseId', courseId],
  ]);
  const response = await fetch(`${t.url}/api/v1/lectures`, { method: 'POST', body: form });
  const lecture = (await response.json()) as { id: string };
  expect(response.status).toBe(202);
  expect(response.headers.get('location')).toBe(`/api/v1/lectures/${lecture.id}`);
  expect(lecture).toMatchObject({ title: 'The press', language: 'de', courseId, status: 'queued', version: 1 });
  const record = await t.lectures.read(lecture.id);
  const sha256 = createHash('sha256').update('the sound of printing').digest('hex');
  expect(record?.media).toMatchObject({ fileName: 'Printing 1.mp3', contentType: 'audio/mpeg', bytes: 21, sha256 });
  expect(Buffer.from((await t.blobs.read(record?.media.key ?? '')) ?? []).toString()).toBe('the sound of printing');
  const job = await t.queues.findStageJob({ lectureId: lecture.id, stage: 'ingest', part: 0, attempt: 1 });
  expect(await job?.getState()).toMatch(/waiting|prioritized/);
  expect(await t.redis.zscore(t.keys.active, lecture.id)).not.toBeNull();
});

test.each([
  ['Week 3.final.mp4', 'Week 3.final'],
  ['../../etc/passwd.mp3', 'passwd'],
  ['C:\\Users\\me\\talk.wav', 'talk'],
  ['a"quoted".mp3', 'a"quoted"'],
  ['🎓 لغة lecture.m4a', '🎓 لغة lecture'],
  ['tab\there.mp3', 'tab here'],
  ['.mp3', '.mp3'],
  ['..', 'Untitled lecture'],
  [`${'x'.repeat(500)}.mp3`, 'x'.repeat(255)],
])('upload of a file named %j without a title: the title is %j', async (name, title) => {
  const lecture = await t.client.uploadLecture(toFile('x', name));
  expect(lecture.title).toBe(title);
});

test('upload that claims no more than octets, as curl does: kept under the type that its ending stands for', async () => {
  const { id } = await t.client.uploadLecture(new File(['octets'], 'talk.m4a', { type: 'application/octet-stream' }));
  const media = await fetch(`${t.url}/api/v1/lectures/${id}/media`);
  expect([(await t.lectures.read(id))?.media.contentType, media.headers.get('content-type')]).toEqual([
    'audio/mp4',
    'audio/mp4',
  ]);
});

test.each([
  ['no part named file', () => toForm([['title', 'x']]), 400, 'file_missing'],
  ['the file under another name', () => toForm([['recording', toFile('x')]]), 400, 'file_missing'],
  ['an empty file', () => toForm([['file', toFile('')]]), 400, 'file_empty'],
  [
    'two files',
    () =>
      toForm([
        ['file', toFile('a')],
        ['file', toFile('b')],
      ]),
    400,
    'invalid_request',
  ],
  [
    'an unknown language before',
    () =>
      toForm([
        ['language', 'Klingon'],
        ['file', toFile('x')],
      ]),
    400,
    'unknown_language',
  ],
  [
    'an unknown language after',
    () =>
      toForm([
        ['file', toFile('x')],
        ['language', 'Klingon'],
      ]),
    400,
    'unknown_language',
  ],
  [
    'a course that is no id',
    () =>
      toForm([
        ['file', toFile('x')],
        ['courseId', '../x'],
      ]),
    400,
    'invalid_request',
  ],
  [
    'a title that is too long',
    () =>
      toForm([
        ['file', toFile('x')],
        ['title', 'x'.repeat(301)],
      ]),
    400,
    'invalid_request',
  ],
  [
    'a title given twice',
    () =>
      toForm([
        ['title', 'a'],
        ['title', 'b'],
        ['file', toFile('x')],
      ]),
    400,
    'invalid_request',
  ],
  [
    'a field without an end',
    () =>
      toForm([
        ['file', toFile('x')],
        ['title', 'x'.repeat(5_000)],
      ]),
    400,
    'invalid_request',
  ],
  [
    'more fields than are taken',
    () => toForm([...Array.from({ length: 40 }, (_, i): [string, string] => [`f${i}`, 'x']), ['file', toFile('x')]]),
    400,
    'invalid_request',
  ],
  ['a file that is too large', () => toForm([['file', toFile('x'.repeat(maxUploadBytes + 1))]]), 413, 'file_too_large'],
] as const)('upload with %s: refused with its code, nothing is kept', async (_, makeForm, status, code) => {
  const before = await mediaCount();
  const { response, json } = await post(makeForm());
  expect({ status: response.status, code: json.error.code }).toEqual({ status, code });
  expect(json.error.requestId).toBe(response.headers.get('x-request-id'));
  expect(await mediaCount()).toBe(before);
});

test('upload of exactly as many bytes as are allowed: taken', async () => {
  const lecture = await t.client.uploadLecture(toFile('x'.repeat(maxUploadBytes)));
  expect((await t.lectures.read(lecture.id))?.media.bytes).toBe(maxUploadBytes);
});

test('upload that is not multipart, or without a boundary: refused with a code', async () => {
  const plain = await post('x', { 'content-type': 'audio/mpeg' });
  expect([plain.response.status, plain.json.error.code]).toEqual([415, 'unsupported_content_type']);
  const unbounded = await post('x', { 'content-type': 'multipart/form-data; charset=utf-8' });
  expect([unbounded.response.status, unbounded.json.error.code]).toEqual([400, 'invalid_request']);
});

test('upload that lacks its closing boundary: upload_incomplete and nothing is kept', async () => {
  const before = await mediaCount();
  const body = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nhalf of it';
  const { response, json } = await post(body, { 'content-type': 'multipart/form-data; boundary=b' });
  expect([response.status, json.error.code]).toEqual([400, 'upload_incomplete']);
  expect(await mediaCount()).toBe(before);
});

test('upload far larger than allowed by a client that only sends until it is done: it then finds the 413', async () => {
  const before = await mediaCount();
  const socket = connect(t.port, '127.0.0.1');
  const send = async (data: Buffer | string) => {
    if (!socket.write(data)) await once(socket, 'drain');
  };
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n';
  await send(
    'POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n' +
      `content-type: multipart/form-data; boundary=b\r\n\r\n${head.length.toString(16)}\r\n${head}\r\n`,
  );
  // 20 MB, as fast as the connection takes it.
  const block = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 120), Buffer.from('\r\n')]);
  for (let i = 0; i < 320; i++) await send(block);
  await send('7\r\n\r\n--b--\r\n0\r\n\r\n');
  let text = '';
  for await (const part of socket) {
    text += part;
    if (text.includes('}}')) break;
  }
  expect(text).toMatch(/^HTTP\/1\.1 413 /);
  expect(text).toContain(`"maxBytes":${maxUploadBytes},"code":"file_too_large"`);
  expect(await mediaCount()).toBe(before);
});

test('upload announced with Expect: 100-continue and too large: 413 before a byte of it is asked for', async () => {
  const socket = connect(t.port, '127.0.0.1');
  socket.write(
    'POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9000000000\r\n' +
      'content-type: multipart/form-data; boundary=b\r\n\r\n',
  );
  const [first] = await once(socket, 'data');
  expect(String(first)).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

test('upload whose client goes away in the middle: the part that had come is removed', async () => {
  const before = await t.listFiles();
  const socket = connect(t.port, '127.0.0.1');
  socket.write(
    'POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n' +
      'content-type: multipart/form-data; boundary=b\r\n\r\n' +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n',
  );
  socket.write(Buffer.alloc(100_000, 120));
  await until(async () => (await t.listFiles()).length > before.length, 'the upload to have begun');
  socket.destroy();
  await until(async () => (await t.listFiles()).length === before.length, 'the partial file to be gone');
  expect((await t.listFiles()).sort()).toEqual(before.sort());
});

test('two uploads at once: each keeps its own bytes', async () => {
  const texts = ['a'.repeat(200_000), 'b'.repeat(200_000)];
  const lectures = await Promise.all(texts.map((text) => t.client.uploadLecture(toFile(text))));
  const records = await Promise.all(lectures.map((lecture) => t.lectures.read(lecture.id)));
  const kept = await Promise.all(records.map((record) => t.blobs.read(record?.media.key ?? '')));
  expect(kept.map((bytes) => Buffer.from(bytes ?? []).toString())).toEqual(texts);
});

test('upload refused: the client throws an ApiError with code, status and request id', async () => {
  const refused = t.client.uploadLecture(toFile(''));
  await expect(refused).rejects.toBeInstanceOf(ApiError);
  await expect(refused).rejects.toMatchObject({ code: 'file_empty', status: 400, requestId: expect.any(String) });
});
