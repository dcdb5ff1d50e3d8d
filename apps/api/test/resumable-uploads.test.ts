import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { createId } from '@studymate/contracts/ids';
import { testRedisUrl } from '@studymate/queue/testing';
import { deletionVersion, mediaKey, recordKey } from '@studymate/storage/lecture-keys';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi, until } from './support/test-api.ts';
import { askTus, beginUpload, makeLectureOf, partType, sendPart, toMetadata, toUploadId } from './support/tus.ts';

let t: TestApi;
/** Another copy of the API on the same store and Redis. */
let second: TestApi;
const maxUploadBytes = 300_000;
const sockets: Socket[] = [];
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { MAX_UPLOAD_BYTES: String(maxUploadBytes) } });
  const { dataDir, redis } = t.config;
  second = await startTestApi({ redisUrl: testRedisUrl(), env: { DATA_DIR: dataDir, QUEUE_PREFIX: redis.prefix } });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await second?.close();
  await t?.close();
});

const sound = 'the sound of printing';
const offsetOf = async (target: string, from = t) =>
  Number((await askTus(from, 'HEAD', target)).headers.get('upload-offset'));

/** A part of which only the beginning comes. */
function beginPart(target: string, offset: number, announced: number, text: string): Socket {
  const socket = connect(t.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write(
    `PATCH ${target} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\ncontent-type: ${partType}\r\n` +
      `upload-offset: ${offset}\r\ncontent-length: ${announced}\r\n\r\n${text}`,
  );
  return socket;
}

const partialPath = (target: string) => path.join(t.config.dataDir, '~uploads', toUploadId(target));
const untilCame = (target: string, bytes: number) =>
  until(async () => (await stat(partialPath(target)).catch(() => null))?.size === bytes, `${bytes} bytes of the part`);

describe('the tus protocol', () => {
  test('OPTIONS: says version, extensions and the largest upload', async () => {
    const { status, headers } = await askTus(t, 'OPTIONS', '/api/v1/uploads');
    expect(status).toBe(204);
    expect(headers.get('tus-version')).toBe('1.0.0');
    expect(headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration');
    expect(headers.get('tus-max-size')).toBe(String(maxUploadBytes));
    expect(headers.get('allow')).toContain('POST');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('an upload in two parts: each says where it ends and until when it is kept, the last is whole', async () => {
    const begun = await askTus(t, 'POST', '/api/v1/uploads', {
      'upload-length': String(sound.length),
      'upload-metadata': toMetadata({ filename: 'a.mp3' }),
    });
    expect([begun.status, begun.headers.get('tus-resumable')]).toEqual([201, '1.0.0']);
    const target = begun.headers.get('location') ?? '';
    expect(target).toMatch(/^\/api\/v1\/uploads\/[0-9a-z]{26}$/);
    const expires = Date.parse(begun.headers.get('upload-expires') ?? '');
    expect(Math.abs(expires - Date.now() - 86_400_000)).toBeLessThan(600_000);

    const first = await sendPart(t, target, 0, sound.slice(0, 8));
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '8']);
    expect(first.headers.get('upload-expires')).not.toBeNull();
    const asked = await askTus(t, 'HEAD', target);
    expect(asked.status).toBe(200);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'upload-offset': '8',
      'upload-length': String(sound.length),
      'upload-metadata': toMetadata({ filename: 'a.mp3' }),
      'cache-control': 'no-store',
    });
    const last = await sendPart(t, target, 8, sound.slice(8));
    expect([last.status, last.headers.get('upload-offset')]).toEqual([204, String(sound.length)]);
    expect(await offsetOf(target)).toBe(sound.length);
  });

  test('the first bytes in the request that begins the upload: are taken', async () => {
    const headers = { 'upload-length': String(sound.length), 'content-type': partType };
    const begun = await askTus(t, 'POST', '/api/v1/uploads', headers, sound.slice(0, 5));
    expect([begun.status, begun.headers.get('upload-offset')]).toEqual([201, '5']);
    expect(await offsetOf(begun.headers.get('location') ?? '')).toBe(5);
  });

  test('DELETE ends an upload: nothing is left of it, and it is not there any more', async () => {
    const target = await beginUpload(t, 10);
    await sendPart(t, target, 0, 'abc');
    expect((await askTus(t, 'DELETE', target)).status).toBe(204);
    expect((await t.listFiles()).filter((file) => file.includes(toUploadId(target)))).toEqual([]);
    for (const method of ['HEAD', 'DELETE']) expect((await askTus(t, method, target)).status).toBe(404);
    expect(await sendPart(t, target, 3, 'def')).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('methods in X-HTTP-Method-Override: count, and another is refused', async () => {
    const target = await beginUpload(t, 3);
    const part = { 'content-type': partType, 'upload-offset': '0', 'x-http-method-override': 'PATCH' };
    expect((await askTus(t, 'POST', target, part, 'abc')).status).toBe(204);
    expect((await askTus(t, 'POST', target, { 'x-http-method-override': 'DELETE' })).status).toBe(204);
    expect(await askTus(t, 'POST', target)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await askTus(t, 'GET', target)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  test.each([
    ['another version', { 'tus-resumable': '0.2.2' }, 412, 'tus_version'],
    ['no length', {}, 400, 'invalid_request'],
    ['a length that is none', { 'upload-length': '-5' }, 400, 'invalid_request'],
    ['a length beyond all numbers', { 'upload-length': '9'.repeat(30) }, 400, 'invalid_request'],
    ['a length larger than is taken', { 'upload-length': String(maxUploadBytes + 1) }, 413, 'file_too_large'],
    ['a deferred length', { 'upload-defer-length': '1' }, 400, 'invalid_request'],
    ['a part of a concatenation', { 'upload-length': '5', 'upload-concat': 'partial' }, 400, 'invalid_request'],
    ['metadata that is no base64', { 'upload-length': '5', 'upload-metadata': 'filename ?' }, 400, 'invalid_request'],
    ['metadata twice', { 'upload-length': '5', 'upload-metadata': 'a YQ==,a YQ==' }, 400, 'invalid_request'],
    ['metadata of __proto__', { 'upload-length': '5', 'upload-metadata': '__proto__ YQ==' }, 400, 'invalid_request'],
    [
      'metadata without an end',
      { 'upload-length': '5', 'upload-metadata': toMetadata({ filename: 'x'.repeat(4_000) }) },
      400,
      'invalid_request',
    ],
  ] as const)('beginning with %s: is refused in our form, and nothing is begun', async (_, headers, status, code) => {
    const before = await t.listFiles();
    const refused = await askTus(t, 'POST', '/api/v1/uploads', headers);
    expect(refused).toMatchObject({ status, code, body: { requestId: refused.headers.get('x-request-id') } });
    expect(refused.headers.get('tus-resumable')).toBe('1.0.0');
    expect(await t.listFiles()).toEqual(before);
  });

  test('parts with mistakes: are refused with tus’s status in our form, and the offset stays', async () => {
    const target = await beginUpload(t, 10);
    await sendPart(t, target, 0, 'abc');
    const refuse = async (headers: Record<string, string>, body = 'def') => {
      const { status, code } = await askTus(t, 'PATCH', target, headers, body);
      return `${status} ${code}`;
    };
    const right = { 'content-type': partType, 'upload-offset': '3' };
    expect(await refuse({ ...right, 'upload-offset': '2' })).toBe('409 offset_mismatch');
    expect(await refuse({ ...right, 'upload-offset': '4' })).toBe('409 offset_mismatch');
    expect(await refuse({ ...right, 'upload-offset': 'three' })).toBe('400 invalid_request');
    expect(await refuse({ 'content-type': partType })).toBe('400 invalid_request');
    expect(await refuse({ ...right, 'content-type': 'application/octet-stream' })).toBe('415 unsupported_content_type');
    expect(await refuse({ ...right, 'tus-resumable': '2.0.0' })).toBe('412 tus_version');
    expect(await refuse(right, 'more than it lacks')).toBe('413 file_too_large');
    expect(await refuse({ ...right, 'upload-length': '20' })).toBe('400 invalid_request');
    for (const wrong of [createId(), 'x', '..%2f..%2fetc']) {
      expect(await sendPart(t, `/api/v1/uploads/${wrong}`, 0, 'x')).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await offsetOf(target)).toBe(3);
  });

  test('a body without a length that goes on after the last byte: what fitted is kept, the rest refused', async () => {
    const target = await beginUpload(t, 10);
    const socket = connect(t.port, '127.0.0.1');
    sockets.push(socket);
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    socket.write(
      `PATCH ${target} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\ncontent-type: ${partType}\r\n` +
        `upload-offset: 0\r\ntransfer-encoding: chunked\r\n\r\n${chunk('01234')}`,
    );
    await untilCame(target, 5);
    socket.write(`${chunk('56789x')}0\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await offsetOf(target)).toBe(5);
  });
});

describe('an upload that is interrupted', () => {
  test('by a lost connection: what had come is kept, and another copy of the API goes on', async () => {
    const target = await beginUpload(t, 10);
    const socket = beginPart(target, 0, 10, 'abcd');
    await untilCame(target, 4);
    socket.destroy();
    expect(await offsetOf(target, second)).toBe(4);
    expect((await sendPart(second, target, 4, 'efghij')).status).toBe(204);
    const { status } = await makeLectureOf(t, { uploadId: toUploadId(target) });
    expect(status).toBe(202);
    expect(String(await t.blobs.read(mediaKey(toUploadId(target))))).toBe('abcdefghij');
  });

  test('by a second client: the first one gives way with what had come, and the second goes on', async () => {
    const target = await beginUpload(t, 10);
    const first = beginPart(target, 0, 10, 'abcd');
    await untilCame(target, 4);
    const answered = once(first, 'data');
    expect(await offsetOf(target, second)).toBe(4);
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 204 .*upload-offset: 4\r\n/is);
    expect((await sendPart(second, target, 4, 'efghij')).status).toBe(204);
  });

  test('by two clients with the same part: one of them is taken, the other gives way or is refused', async () => {
    const target = await beginUpload(t, 10);
    const both = await Promise.all([sendPart(t, target, 0, '0123456789'), sendPart(second, target, 0, '0123456789')]);
    const outcomes = both.map(({ status, headers }) => `${status} ${headers.get('upload-offset') ?? ''}`.trim());
    // Which of them it is, and whether the other gave way before its first byte, found another offset or waited in vain.
    expect(outcomes).toContain('204 10');
    const other = outcomes.toSpliced(outcomes.indexOf('204 10'), 1);
    expect(['204 0', '409', '423']).toContain(other[0]);
    expect(await offsetOf(target)).toBe(10);
  });

  test('by the end of the API: it is answered with what had come', async () => {
    const { dataDir, redis } = t.config;
    const third = await startTestApi({
      redisUrl: testRedisUrl(),
      env: { DATA_DIR: dataDir, QUEUE_PREFIX: redis.prefix },
    });
    const target = await beginUpload(t, 10);
    const socket = connect(third.port, '127.0.0.1');
    sockets.push(socket);
    socket.write(
      `PATCH ${target} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\ncontent-type: ${partType}\r\n` +
        'upload-offset: 0\r\ncontent-length: 10\r\n\r\nabcd',
    );
    await untilCame(target, 4);
    const answered = once(socket, 'data');
    third.api.endStreams();
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 204 .*upload-offset: 4\r\n/is);
    await third.close();
    expect(await offsetOf(target)).toBe(4);
  });
});

describe('a lecture of an upload', () => {
  let count = 0;
  /** Each has other bytes: equal ones are one lecture. */
  async function uploadSound(metadata?: Record<string, string>, bytes = `${sound} ${++count}`): Promise<string> {
    const target = await beginUpload(t, bytes.length, metadata && { 'upload-metadata': toMetadata(metadata) });
    await sendPart(t, target, 0, bytes);
    return toUploadId(target);
  }

  test('with all its fields: 202 and Location, the bytes under the upload’s name, ingest queued', async () => {
    const uploadId = await uploadSound({ filename: '../../week "1".mp3', filetype: 'audio/mpeg' }, sound);
    const { id: courseId } = await t.client.createCourse('Printing');
    const glossary = ['Caxton', 'Wynkyn de Worde'];
    const made = await makeLectureOf(t, { uploadId, title: ' The press ', courseId, language: 'German', glossary });
    expect(made.status, JSON.stringify(made.json)).toBe(202);
    const { id } = made.json;
    expect(made.headers.get('location')).toBe(`/api/v1/lectures/${id}`);
    expect(made.json).toMatchObject({ title: 'The press', language: 'de', courseId, glossary, status: 'queued' });
    const record = await t.lectures.read(id);
    const sha256 = createHash('sha256').update(sound).digest('hex');
    expect(record?.media).toEqual({
      key: mediaKey(uploadId),
      fileName: 'week "1".mp3',
      contentType: 'audio/mpeg',
      bytes: sound.length,
      sha256,
    });
    expect(String(await t.blobs.read(mediaKey(uploadId)))).toBe(sound);
    expect(await t.queues.findStageJob({ lectureId: id, stage: 'ingest', part: 0, attempt: 1 })).toBeDefined();
  });

  test('asked for again, also by another copy and at once: is the same lecture', async () => {
    const uploadId = await uploadSound();
    const asked = await Promise.all([t, second, t].map((api) => makeLectureOf(api, { uploadId })));
    expect(asked.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(asked.map(({ json }) => json.id)).size).toBe(1);
    expect(asked[0]?.json.title).toBe('Printing 1');
    // What a client sees that comes back after the answer to its last part was lost.
    expect(await offsetOf(`/api/v1/uploads/${uploadId}`)).toBeGreaterThan(sound.length);
  });

  test('with the same bytes and fields as another one: is that lecture, and its own bytes go', async () => {
    const [first, again, fresh] = [
      await uploadSound({}, 'equal'),
      await uploadSound({}, 'equal'),
      await uploadSound({}, 'equal'),
    ];
    const made = await makeLectureOf(t, { uploadId: first });
    const found = await makeLectureOf(t, { uploadId: again });
    expect([made.status, found.status, found.json.id]).toEqual([202, 202, made.json.id]);
    expect(found.headers.get('idempotent-replayed')).toBe('true');
    expect(await t.blobs.stat(mediaKey(again))).toBeNull();
    expect(String(await t.blobs.read(mediaKey(first)))).toBe('equal');
    expect((await makeLectureOf(t, { uploadId: again })).json.id).toBe(made.json.id);
    const other = await makeLectureOf(t, { uploadId: fresh }, { 'cache-control': 'no-cache' });
    expect(other.status).toBe(202);
    expect(other.json.id).not.toBe(made.json.id);
    expect(String(await t.blobs.read(mediaKey(fresh)))).toBe('equal');
  });

  test('that was deleted: upload_gone, and it does not come back', async () => {
    const uploadId = await uploadSound();
    const { json } = await makeLectureOf(t, { uploadId });
    await t.client.deleteLecture(json.id);
    const again = await makeLectureOf(t, { uploadId });
    expect([again.status, again.json.error.code]).toEqual([410, 'upload_gone']);
    expect(await t.lectures.read(json.id)).toBeNull();
  });

  test.each([{}, { 'cache-control': 'no-cache' }])(
    'whose deletion has only begun, with %j: upload_gone',
    async (headers) => {
      const uploadId = await uploadSound();
      const { json } = await makeLectureOf(t, { uploadId });
      const deletion = { schemaVersion: 1, deletedAt: '2026-01-01T00:00:00.000Z', owner: 'local', mediaKey: '' };
      await t.blobs.create(recordKey(json.id, deletionVersion), Buffer.from(JSON.stringify(deletion)));
      const again = await makeLectureOf(t, { uploadId }, headers);
      expect([again.status, again.json.error.code]).toEqual([410, 'upload_gone']);
    },
  );

  test('whose upload is ended after that: stays', async () => {
    const uploadId = await uploadSound();
    const { json } = await makeLectureOf(t, { uploadId });
    expect((await askTus(t, 'DELETE', `/api/v1/uploads/${uploadId}`)).status).toBe(204);
    expect((await fetch(`${t.url}/api/v1/lectures/${json.id}/media`)).status).toBe(200);
  });

  const refusals: [string, () => Promise<string | undefined>, number, string][] = [
    ['that has not come whole', async () => toUploadId(await beginUpload(t, 10)), 409, 'upload_unfinished'],
    ['of no bytes', async () => toUploadId(await beginUpload(t, 0)), 400, 'file_empty'],
    ['that never was', async () => createId(), 404, 'not_found'],
    ['that is no id', async () => '../x', 400, 'invalid_request'],
    ['that is missing', async () => undefined, 400, 'invalid_request'],
  ];
  test.each(refusals)('of an upload %s: refused with its code', async (_, begin, status, code) => {
    const refused = await makeLectureOf(t, { uploadId: await begin() });
    expect([refused.status, refused.json.error.code]).toEqual([status, code]);
  });

  test.each([
    [{ language: 'Klingon' }, 'unknown_language'],
    [{ title: 'x'.repeat(301) }, 'invalid_request'],
    [{ courseId: '../x' }, 'invalid_request'],
    [{ courseId: createId() }, 'unknown_course'],
    [{ glossary: ['!'] }, 'invalid_request'],
    [{ glossary: [1] }, 'invalid_request'],
  ])('with the mistake %j: refused, and the upload can be used after that', async (fields, code) => {
    const uploadId = await uploadSound();
    const refused = await makeLectureOf(t, { uploadId, ...fields });
    expect([refused.status, refused.json.error.code]).toEqual([code === 'unknown_course' ? 422 : 400, code]);
    expect((await makeLectureOf(t, { uploadId })).status).toBe(202);
  });
});
