import { once } from 'node:events';
import { connect } from 'node:net';
import { createInternalServer, type InternalServer } from '@studymate/observability/internal-server';
import { createMetrics } from '@studymate/observability/metrics';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFront } from '../src/front.ts';
import { collectOnScrape, createInternalHandler } from '../src/internal.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

/** Sends raw bytes and reads what comes until the server closes or the answer is there. */
async function sendRaw(text: string): Promise<string> {
  const socket = connect(t.port, '127.0.0.1');
  socket.write(text);
  const [first] = await once(socket, 'data');
  socket.destroy();
  return String(first);
}

test('an unknown path: 404 as JSON with the request id, security headers, no word of express', async () => {
  const response = await fetch(`${t.url}/nowhere`, { headers: { 'x-request-id': 'abc-1' } });
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: { code: 'not_found', message: 'There is no such path.', requestId: 'abc-1' },
  });
  const headers = Object.fromEntries(response.headers);
  expect(headers).toMatchObject({
    'x-request-id': 'abc-1',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  expect(headers['x-powered-by']).toBeUndefined();
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test.each([
  ['cross-site', 403],
  ['same-site', 403],
  ['same-origin', 400],
  ['none', 400],
])('a change asked for by a page (Sec-Fetch-Site: %s): %i', async (site, status) => {
  // 400: it got through to the route, which finds the body wanting.
  const answer = await sendRaw(
    `POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nSec-Fetch-Site: ${site}\r\n\r\n{}`,
  );
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('a stop while a paused player holds its recording: the player is cut off, one that reads gets all', async () => {
  const stopped = await startTestApi({ redisUrl: testRedisUrl() });
  const bytes = 32 * 2 ** 20;
  const file = new File([new Uint8Array(bytes)], 'long.mp3', { type: 'audio/mpeg' });
  const { id } = await stopped.client.uploadLecture(file);
  const path = `/api/v1/lectures/${id}/media`;

  const paused = connect(stopped.port, '127.0.0.1');
  const isCut = once(paused, 'close');
  paused.on('error', () => {});
  paused.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(paused, 'readable');
  const reading = await fetch(`${stopped.url}${path}`);
  stopped.api.endStreams();
  expect((await reading.arrayBuffer()).byteLength).toBe(bytes);
  // Reading on only now: what had been sent is there, then the connection ends.
  await until(async () => stopped.log.some((line) => line.msg === 'request' && line.status === 499), 'the cut');
  paused.resume();
  await isCut;
  await stopped.close();
});

test('a request id that is not plain: replaced by one of ours', async () => {
  const response = await fetch(`${t.url}/nowhere`, { headers: { 'x-request-id': '"><script>' } });
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test.each([
  ['PUT', '/api/v1/lectures', 'POST, GET, HEAD, OPTIONS'],
  ['POST', '/health/ready', 'GET, HEAD, OPTIONS'],
  ['GET', '/api/v1/transcribe', 'POST, OPTIONS'],
  ['DELETE', '/api/v1/models/status', 'GET, HEAD, OPTIONS'],
  ['POST', '/health/fast', 'GET, HEAD, OPTIONS'],
])('%s %s: 405 with Allow', async (method, path, allow) => {
  const response = await fetch(`${t.url}${path}`, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  expect(((await response.json()) as { error: { code: string } }).error.code).toBe('method_not_allowed');
  expect((await fetch(`${t.url}${path}`, { method: 'OPTIONS' })).headers.get('allow')).toBe(allow);
});

test.each([
  'GET /../../etc/passwd HTTP/1.1',
  'GET /api/v1/lectures/../../x HTTP/1.1',
  'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1',
  'GET /api/v1/lectures/%00/media HTTP/1.1',
  'GET //evil.example/x HTTP/1.1',
])('%s: 404', async (line) => {
  expect(await sendRaw(`${line}\r\nhost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
});

test('a path that is not well encoded: 400 invalid_request', async () => {
  const answer = await sendRaw('GET /api/v1/lectures/%E0%A4%A HTTP/1.1\r\nhost: x\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*invalid_request/);
});

test.each([
  ['two lengths', 'content-length: 5\r\ncontent-length: 6'],
  ['a length that is no number', 'content-length: x'],
  ['a negative length', 'content-length: -1'],
  ['length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked'],
  ['an unknown transfer encoding', 'transfer-encoding: chunked, x'],
])('a request with %s: 400 and the connection is closed', async (_, headers) => {
  const answer = await sendRaw(`POST /api/v1/summarize HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\nhello`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('/health/fast before the app is loaded: answered at once; other requests wait for the app', async () => {
  const front = await createFront({ host: '127.0.0.1', port: 0, maxBodyBytes: 1_000 });
  const url = `http://127.0.0.1:${front.port}`;
  const fast = await fetch(`${url}/health/fast`);
  const body = (await fast.json()) as { status: string; timestamp: string };
  expect([fast.status, body.status]).toEqual([200, 'ok']);
  expect(Math.abs(Date.parse(body.timestamp) - Date.now())).toBeLessThan(60_000);
  const waiting = fetch(`${url}/other`);
  front.open((_req, res) => res.end('from the app'));
  expect(await (await waiting).text()).toBe('from the app');
  await front.close(1_000);
});

test('the front closes while a request is open: it is finished first, a hanging one is cut off in time', async () => {
  const front = await createFront({ host: '127.0.0.1', port: 0, maxBodyBytes: 1_000 });
  let finish = () => {};
  front.open((req, res) => {
    if (req.url === '/slow') finish = () => res.end('done');
    else res.write('never ends');
  });
  const url = `http://127.0.0.1:${front.port}`;
  const slow = fetch(`${url}/slow`);
  const hanging = await fetch(`${url}/hanging`);
  await until(async () => finish.name !== '' && finish.toString().includes('done'), 'the request to have come');
  const closing = front.close(200);
  finish();
  expect(await (await slow).text()).toBe('done');
  await closing;
  await expect(hanging.text()).rejects.toThrow();
});

test('/ without a built page: a short list of what there is', async () => {
  expect(await (await fetch(`${t.url}/`)).json()).toMatchObject({ name: 'StudyMate', lectures: '/api/v1/lectures' });
});

test('the public port: neither metrics nor the queue dashboard', async () => {
  for (const path of ['/metrics', '/queues', '/queues/api/queues']) {
    expect((await fetch(`${t.url}${path}`)).status).toBe(404);
  }
});

test('requests are logged with route pattern, status and id, and never with their content', async () => {
  await fetch(`${t.url}/api/v1/lectures/0000?secret=1`, { headers: { 'x-request-id': 'find-me' } });
  const line = await until(async () => t.log.find((entry) => entry.requestId === 'find-me'), 'the line of the request');
  expect(line).toMatchObject({ method: 'GET', route: '/api/v1/lectures/:id', status: 404 });
  expect(JSON.stringify(line)).not.toContain('secret');
});

test('the internal port: depth of every queue, states of the models, and a dashboard that cannot change anything', async () => {
  const { redis, keys, queues, blobs } = t;
  const services = { redis, keys, queues, blobs, fleet: { read: async () => [] } } as never;
  const metrics = createMetrics({ app: 'api' });
  collectOnScrape(services, { metrics, dataDir: t.config.dataDir });
  let server: InternalServer | undefined;
  try {
    server = await createInternalServer({
      host: '127.0.0.1',
      port: 0,
      metrics,
      readiness: t.api.readiness,
      handler: createInternalHandler(services),
    });
    const url = `http://127.0.0.1:${server.port}`;
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toMatch(/store_bytes\{[^}]*space="free"[^}]*\} [1-9]/);
    for (const name of ['queue', 'store']) expect(text).toMatch(new RegExp(`dependency_up\\{[^}]*"${name}"[^}]*\\} 1`));
    for (const name of t.queues.all().keys()) expect(text).toMatch(new RegExp(`queue_depth\\{[^}]*queue="${name}"`));
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const dashboard = await fetch(`${url}/queues/`);
    expect([dashboard.status, dashboard.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    const listed = (await (await fetch(`${url}/queues/api/queues`)).json()) as {
      queues: { name: string; readOnlyMode: boolean }[];
    };
    expect(listed.queues.map((queue) => queue.name).sort()).toEqual([...t.queues.all().keys()].sort());
    expect(listed.queues.every((queue) => queue.readOnlyMode)).toBe(true);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  } finally {
    await server?.close();
    metrics.close();
  }
});
