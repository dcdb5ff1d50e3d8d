import { testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

const listed = 'https://study.example';
let t: TestApi;
let key: string;
beforeAll(async () => {
  t = await startTestApi({
    redisUrl: testRedisUrl(),
    env: { AUTH: 'keys', CORS_ORIGINS: `${listed}, http://a.example:8080` },
  });
  key = (await createKeyStore(t).create({ owner: 'ada', label: '' })).key;
});
afterAll(async () => {
  await t?.close();
});

/** Node's fetch would not send some of these headers by itself; those it sends are as a browser's. */
const ask = (method: string, path: string, headers: Record<string, string>) =>
  fetch(`${t.url}${path}`, { method, headers });
const corsHeaders = (response: Response) =>
  [...response.headers.keys()].filter((name) => name.startsWith('access-control'));

test('a preflight of a listed origin: allowed without a key, with the headers that it asks for', async () => {
  const response = await ask('OPTIONS', '/api/v1/lectures', {
    origin: listed,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, upload-length',
  });
  expect(response.status).toBe(204);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': listed,
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'authorization, upload-length',
    'access-control-allow-methods': expect.stringContaining('PATCH'),
    vary: 'Origin',
  });
});

test('an answer to a listed origin, refusals too: may be read, with the headers that matter', async () => {
  for (const [path, status] of [
    ['/api/v1/lectures', 200],
    ['/api/v1/lectures/nothing', 404],
  ] as const) {
    const response = await ask('GET', path, { origin: listed, 'x-api-key': key });
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(listed);
    const exposed = response.headers.get('access-control-expose-headers') ?? '';
    for (const name of ['Location', 'ETag', 'X-Request-Id', 'Retry-After', 'RateLimit', 'Upload-Offset']) {
      expect(exposed.split(', ')).toContain(name);
    }
  }
});

test.each([
  'https://other.example',
  'https://study.example.evil.example',
  'http://study.example',
  'https://study.example:8443',
  'null',
])('another origin (%s): gets no leave, and changes nothing with a cookie', async (origin) => {
  const { id } = await t.clientFor(key).uploadLecture(toFile('sound'));
  const path = `/api/v1/lectures/${id}`;
  const preflight = await ask('OPTIONS', path, { origin, 'access-control-request-method': 'DELETE', 'x-api-key': key });
  expect(corsHeaders(preflight)).toEqual([]);
  expect(corsHeaders(await ask('GET', path, { origin, 'x-api-key': key }))).toEqual([]);
  expect((await ask('DELETE', path, { origin, cookie: `studymate_key=${key}` })).status).toBe(403);
  expect((await ask('DELETE', path, { 'sec-fetch-site': 'cross-site', origin, 'x-api-key': key })).status).toBe(403);
  expect(await t.lectures.read(id)).toMatchObject({ id });
});

test('a listed origin may change things, also with a cookie and from another site', async () => {
  const { id } = await t.clientFor(key).uploadLecture(toFile('sound'));
  const headers = { origin: listed, 'sec-fetch-site': 'cross-site', cookie: `studymate_key=${key}` };
  expect((await ask('DELETE', `/api/v1/lectures/${id}`, headers)).status).toBe(204);
});

test('without CORS_ORIGINS: no origin is allowed anything', async () => {
  const closed = await startTestApi({ redisUrl: testRedisUrl() });
  try {
    const response = await fetch(`${closed.url}/api/v1/lectures`, { headers: { origin: listed } });
    expect([response.status, corsHeaders(response)]).toEqual([200, []]);
  } finally {
    await closed.close();
  }
});
