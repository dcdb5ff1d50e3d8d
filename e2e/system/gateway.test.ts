import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import type http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { errorCatalogue, isErrorCode } from '@studymate/contracts/errors';
import type { LecturePage } from '@studymate/contracts/lecture';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Copies, startCopies } from './support/copies.ts';
import { type Answer, collect, type Options, open, request, toJson, toMultipart } from './support/http.ts';

let copies: Copies;
let hosts = 0;
beforeAll(async () => {
  copies = await startCopies({ apis: 3 });
});
afterAll(() => copies?.close());

/** An address that no other request has used: the limits are counted by address. */
const newAddress = () => `127.0.${1 + Math.floor(hosts / 250)}.${1 + (hosts++ % 250)}`;
const ask = (target: string, options: Options = {}) =>
  request(`${copies.gateway.baseUrl}${target}`, { from: newAddress(), ...options });
const count = (answer: Answer, name: string) =>
  answer.rawHeaders.filter((each, i) => i % 2 === 0 && each.toLowerCase() === name).length;

/** Silence as a WAV file with a random tail, so that no two are alike and nothing can be compressed away. */
function makeWav(bytes: number): Buffer {
  const data = randomBytes(bytes);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, data]);
}

async function upload(name: string, bytes: Buffer): Promise<{ id: string }> {
  const answer = await ask('/api/v1/lectures', { method: 'POST', ...toMultipart(name, bytes) });
  expect(answer.status, answer.body.toString()).toBe(202);
  return toJson(answer);
}

function expectOurError(answer: Answer, code: string): void {
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const { error } = toJson(answer);
  expect(error).toEqual({ code, message: expect.stringMatching(/.\.$|; try again/), requestId: expect.any(String) });
  expect(isErrorCode(error.code)).toBe(true);
  expect(errorCatalogue[error.code as 'internal'].status).toBe(answer.status);
  expect(error.requestId).toBe(answer.headers['x-request-id']);
  expect(answer.headers['cache-control']).toBe('no-store');
}

test('the fast health route, asked through the gateway, answers', async () => {
  const answer = await ask('/health/fast');
  expect(answer.status).toBe(200);
  expect(toJson(answer)).toEqual({ status: 'ok', timestamp: expect.any(String) });
});

test('reads one after another are spread over all copies', async () => {
  const ids = Array.from({ length: 30 }, (_, i) => `spread-${i}`);
  for (const id of ids) {
    const answer = await ask('/api/v1/lectures', { headers: { 'x-request-id': id } });
    expect(answer.status).toBe(200);
  }
  const used = await vi.waitFor(async () => {
    const lines = (await copies.gateway.readLog()).filter((line) => ids.includes(String(line.requestId)));
    expect(lines).toHaveLength(ids.length);
    return new Set(lines.map((line) => line.upstream));
  }, 90_000);
  expect([...used].sort()).toEqual(copies.apis.map((api) => api.address).sort());
});

test('a plain request id is passed on and returned; another is replaced by a new one', async () => {
  const plain = await ask('/api/v1/lectures/no-such', { headers: { 'x-request-id': 'class-7:42' } });
  expect(plain.headers['x-request-id']).toBe('class-7:42');
  expect(toJson(plain).error.requestId).toBe('class-7:42');

  const odd = await ask('/api/v1/lectures/no-such', { headers: { 'x-request-id': '"}<script>' } });
  expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  expect(toJson(odd).error.requestId).toBe(odd.headers['x-request-id']);
  expect(count(odd, 'x-request-id')).toBe(1);
});

test('security headers come once, whether the API answers or nginx', async () => {
  const fromApi = await ask('/api/v1/lectures');
  const fromHealth = await ask('/health/fast');
  const fromNginx = await ask('/api/v1/lectures/x/cancel', { method: 'POST', body: Buffer.alloc(2 ** 21 + 1) });
  expect(fromNginx.status).toBe(413);
  for (const answer of [fromApi, fromHealth, fromNginx]) {
    expect(answer.headers.server).toBe('nginx');
    for (const name of [
      'x-content-type-options',
      'x-frame-options',
      'referrer-policy',
      'content-security-policy',
      'x-request-id',
    ]) {
      expect(count(answer, name), name).toBe(1);
    }
  }
});

test('a path that does not exist, also one that climbs, is a 404 in our form', async () => {
  for (const target of ['/api/v1/nothing', '/metrics', '/queues', '/api/v1/lectures/..%2f..%2fetc%2fpasswd']) {
    const answer = await ask(target);
    expect(answer.status, target).toBe(404);
    expect(toJson(answer).error.code).toBe('not_found');
  }
});

test('what nginx itself refuses, is refused in our form', async () => {
  const tooLarge = await ask('/api/v1/lectures/x/cancel', { method: 'POST', body: Buffer.alloc(2 ** 21 + 1) });
  expectOurError(tooLarge, 'body_too_large');
  // As large as corrections may be.
  const large = await ask('/api/v1/lectures/x/transcript', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: `{"segments":[]${' '.repeat(2 ** 21 - 15)}}`,
  });
  expect([large.status, toJson(large).error.code]).not.toContain('body_too_large');
  expect(large.status).toBeLessThan(500);
  const longLine = await ask(`/api/v1/lectures?${'x'.repeat(20_000)}`);
  expectOurError(longLine, 'invalid_request');
  const longHeader = await ask('/api/v1/lectures', { headers: { 'x-long': 'x'.repeat(20_000) } });
  expectOurError(longHeader, 'invalid_request');
  const badHost = await ask('/api/v1/lectures', { headers: { host: 'a b' } });
  expectOurError(badHost, 'invalid_request');
});

test('a burst of calls from one address is cut by 429 in our form; another address is not', async () => {
  const from = newAddress();
  const burst = await Promise.all(Array.from({ length: 120 }, () => ask('/api/v1/lectures/no-such', { from })));
  const refused = burst.filter((answer) => answer.status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(burst.filter((answer) => answer.status === 404).length).toBeGreaterThanOrEqual(40);
  for (const answer of refused) {
    expectOurError(answer, 'too_many_requests');
    expect(answer.headers['retry-after']).toBe('1');
  }
  expect((await ask('/api/v1/lectures')).status).toBe(200);
  // The same address may still upload, follow and probe.
  const spent = await ask('/api/v1/lectures/no-such', { from });
  const probes = await Promise.all(Array.from({ length: 60 }, () => ask('/health/fast', { from })));
  expect(probes.every((answer) => answer.status === 200)).toBe(true);
  const events = await ask('/api/v1/lectures/no-such/events', { from });
  expect([404, 429]).toContain(spent.status);
  expect(events.status).toBe(404);
});

test('an upload runs through without being held by nginx, and becomes a lecture', async () => {
  const wav = makeWav(12 * 2 ** 20);
  const { body, headers } = toMultipart('big.wav', wav);
  const asked = open(`${copies.gateway.baseUrl}/api/v1/lectures`, { method: 'POST', headers, from: newAddress() });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
  });
  answered.catch(() => {});
  const before = await bytesUnder(copies.dataDir);
  asked.write(body.subarray(0, 8 * 2 ** 20));
  // The rest is not even sent yet.
  await vi.waitFor(
    async () => expect((await bytesUnder(copies.dataDir)) - before).toBeGreaterThan(4 * 2 ** 20),
    90_000,
  );
  asked.end(body.subarray(8 * 2 ** 20));
  const answer = await collect(await answered);
  asked.destroy();
  expect(answer.status).toBe(202);
  const { id } = toJson(answer);
  expect(answer.headers.location).toBe(`/api/v1/lectures/${id}`);

  const lecture = toJson(await ask(`/api/v1/lectures/${id}`));
  expect(lecture).toMatchObject({ id, title: 'big', status: 'queued' });
  const media = await ask(`/api/v1/lectures/${id}/media`);
  expect(sha256(media.body)).toBe(sha256(wav));
  const part = await ask(`/api/v1/lectures/${id}/media`, { headers: { range: 'bytes=1000000-1000099' } });
  expect(part.status).toBe(206);
  expect(part.body.equals(wav.subarray(1_000_000, 1_000_100))).toBe(true);
});

test('a resumable upload runs through unheld, is broken off, and goes on at another copy', async () => {
  const wav = makeWav(6 * 2 ** 20);
  const tus = { 'tus-resumable': '1.0.0' };
  const begun = await ask('/api/v1/uploads', {
    method: 'POST',
    headers: { ...tus, 'upload-length': String(wav.length), 'upload-metadata': `filename ${btoa('resumed.wav')}` },
  });
  expect(begun.status).toBe(201);
  const target = String(begun.headers.location);
  expect(target).toMatch(/^\/api\/v1\/uploads\/[0-9a-z]{26}$/);
  const toPart = (offset: number) => ({
    method: 'PATCH',
    headers: {
      ...tus,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
      'content-length': String(wav.length - offset),
      'x-request-id': `part-${offset}`,
    },
    from: newAddress(),
  });
  const asked = open(`${copies.gateway.baseUrl}${target}`, toPart(0));
  asked.on('error', () => {});
  asked.write(wav.subarray(0, 4 * 2 ** 20));
  // The rest is never sent.
  const partial = path.join(copies.dataDir, '~uploads', path.basename(target));
  await vi.waitFor(async () => expect((await stat(partial)).size).toBe(4 * 2 ** 20), 90_000);
  asked.destroy();
  const head = await ask(target, { method: 'HEAD', headers: tus });
  expect([head.status, head.headers['upload-offset']]).toEqual([200, String(4 * 2 ** 20)]);
  const rest = await request(`${copies.gateway.baseUrl}${target}`, {
    ...toPart(4 * 2 ** 20),
    body: wav.subarray(4 * 2 ** 20),
  });
  expect([rest.status, rest.headers['upload-offset']]).toEqual([204, String(wav.length)]);
  const made = await ask('/api/v1/lectures', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uploadId: path.basename(target) }),
  });
  expect(made.status, made.body.toString()).toBe(202);
  expect(toJson(made)).toMatchObject({ title: 'resumed', status: 'queued' });
  const media = await ask(`/api/v1/lectures/${toJson(made).id}/media`);
  expect(sha256(media.body)).toBe(sha256(wav));
});

test("OpenAI's routes: a recording larger than a text may be comes through, and their errors come back", async () => {
  expect(toJson(await ask('/v1/models')).object).toBe('list');
  const { body, headers } = toMultipart('long.wav', makeWav(3_000_000));
  const field = 'content-disposition: form-data; name="model"\r\n\r\nwhisper-9\r\n';
  const boundary = String(headers['content-type']).split('boundary=')[1];
  const withModel = Buffer.concat([Buffer.from(`--${boundary}\r\n${field}`), body]);
  const answer = await ask('/v1/audio/transcriptions', {
    method: 'POST',
    headers: { ...headers, 'content-length': String(withModel.length) },
    body: withModel,
  });
  expect([answer.status, toJson(answer).error.code]).toEqual([404, 'model_not_found']);
});

test('an upload that announces more than the API takes is refused before it is sent', async () => {
  const asked = open(`${copies.gateway.baseUrl}/api/v1/lectures`, {
    method: 'POST',
    from: newAddress(),
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': String(2 ** 40) },
  });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
  });
  asked.write('--x\r\n');
  const answer = await collect(await answered);
  asked.destroy();
  expect(answer.status).toBe(413);
  expect(toJson(answer).error.code).toBe('file_too_large');
});

test("an event stream's first event arrives while the stream is open", async () => {
  const { id } = await upload('followed.wav', makeWav(20_000));
  const asked = open(`${copies.gateway.baseUrl}/api/v1/lectures/${id}/events`, {
    from: newAddress(),
    headers: { 'accept-encoding': 'gzip, br' },
  });
  asked.end();
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
  });
  let ended = false;
  response.on('end', () => {
    ended = true;
  });
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (part) => {
    text += part;
  });
  expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
  expect(response.headers['content-encoding']).toBeUndefined();
  await vi.waitFor(() => expect(text).toMatch(/event: snapshot\n/), 90_000);
  expect(ended).toBe(false);

  await ask(`/api/v1/lectures/${id}/cancel`, { method: 'POST' });
  await vi.waitFor(() => expect(text).toMatch(/event: end\n/), 90_000);
  await vi.waitFor(() => expect(ended).toBe(true), 90_000);
});

test('a list of lectures is sent compressed to those who take it, with the same content', async () => {
  for (const name of ['a.wav', 'b.wav', 'c.wav']) await upload(name, makeWav(1_000));
  const plain = await ask('/api/v1/lectures?limit=3');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.body.length).toBeGreaterThan(1024);

  const gzip = await ask('/api/v1/lectures?limit=3', { headers: { 'accept-encoding': 'gzip' } });
  expect(gzip.headers['content-encoding']).toBe('gzip');
  expect(gzip.headers.vary).toMatch(/accept-encoding/i);
  // Another copy of the API may have counted the queue a moment earlier.
  const toLectures = (body: Buffer) =>
    (JSON.parse(body.toString()) as LecturePage).lectures.map(({ queue: _, ...lecture }) => lecture);
  expect(toLectures(gunzipSync(gzip.body))).toEqual(toLectures(plain.body));
});

const brotliModule = '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so';
test.skipIf(!existsSync(brotliModule))(
  'a list is sent with brotli to those who prefer it (skipped without the nginx module)',
  async () => {
    for (const name of ['d.wav', 'e.wav', 'f.wav']) await upload(name, makeWav(1_000));
    const brotli = await ask('/api/v1/lectures?limit=3', { headers: { 'accept-encoding': 'br' } });
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(JSON.parse(brotliDecompressSync(brotli.body).toString()).lectures).toHaveLength(3);
  },
);

test('a request smuggled behind another by two lengths is refused', async () => {
  const { hostname, port } = new URL(copies.gateway.baseUrl);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (part) => {
    answer += part;
  });
  const head = 'POST /api/v1/topics HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  socket.write(
    `${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health/fast HTTP/1.1\r\nhost: x\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('close', resolve));
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

// The last one: a copy is gone after it.
test('a copy is killed under load and no read fails', async () => {
  const { id } = await upload('kept.wav', makeWav(1_000));
  const answers: Answer[] = [];
  let victimIsDead = false;
  const reader = async () => {
    for (let i = 0; i < 40; i++) {
      answers.push(await ask(`/api/v1/lectures/${id}`));
      if (answers.length === 80) {
        copies.apis[0]?.child.kill();
        await copies.apis[0]?.child.exited;
        victimIsDead = true;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, reader));
  expect(victimIsDead).toBe(true);
  expect(answers).toHaveLength(320);
  expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
  expect((await ask('/health/fast')).status).toBe(200);
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function bytesUnder(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => null);
    bytes += found?.size ?? 0;
  }
  return bytes;
}
