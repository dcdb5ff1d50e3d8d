import { testRedisUrl } from '@studymate/queue/testing';
import type { ApiKeyInfo } from '@studymate/storage/key-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCredential } from '../src/auth/credentials.ts';
import { createFailureLimit, toNetwork } from '../src/auth/failure-limit.ts';
import { createKeyCache } from '../src/auth/key-cache.ts';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

const info = (changes: Partial<ApiKeyInfo> = {}): ApiKeyInfo => ({
  id: 'k',
  owner: 'ada',
  label: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  revokedAt: null,
  ...changes,
});

describe('readCredential', () => {
  test.each([
    [{ authorization: 'Bearer abc' }, { key: 'abc', from: 'header' }],
    [{ authorization: 'bearer  abc ' }, { key: 'abc', from: 'header' }],
    [{ 'x-api-key': 'abc' }, { key: 'abc', from: 'header' }],
    [{ cookie: 'a=b; studymate_key=abc; c=d' }, { key: 'abc', from: 'cookie' }],
    [{ cookie: 'other=abc' }, null],
    [{}, null],
    // What comes first counts, also when it is wrong.
    [
      { authorization: 'Basic YTpi', cookie: 'studymate_key=abc' },
      { key: '', from: 'header' },
    ],
    [{ authorization: `Bearer ${'a'.repeat(8_193)}` }, { key: '', from: 'header' }],
  ])('%j: %j', (headers, credential) => {
    expect(readCredential(headers)).toEqual(credential);
  });
});

describe('createFailureLimit', () => {
  test('an address that failed too often waits until its window is over; others do not', () => {
    let nowMs = 0;
    const limit = createFailureLimit({ maxFailures: 3, windowMs: 60_000, now: () => nowMs });
    for (let i = 0; i < 3; i++) {
      expect(limit.retryAfterSeconds('192.0.2.1')).toBeNull();
      limit.countFailure('192.0.2.1');
    }
    nowMs = 20_000;
    expect(limit.retryAfterSeconds('192.0.2.1')).toBe(40);
    expect(limit.retryAfterSeconds('::ffff:192.0.2.1')).toBe(40);
    expect(limit.retryAfterSeconds('192.0.2.2')).toBeNull();
    nowMs = 60_001;
    expect(limit.retryAfterSeconds('192.0.2.1')).toBeNull();
  });

  test('all addresses of a /64 count as one', () => {
    expect(toNetwork('2001:db8:1:2:3:4:5:6')).toBe(toNetwork('2001:db8:1:2::9'));
    expect(toNetwork('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(toNetwork('2001:db8::1')).not.toBe(toNetwork('2001:db8:1::1'));
    expect(toNetwork('fe80::1%eth0')).toBe(toNetwork('fe80::2'));
  });

  test('more addresses than it keeps: the oldest is forgotten, the newest counts', () => {
    const limit = createFailureLimit({ maxFailures: 1 });
    limit.countFailure('192.0.2.1');
    for (let i = 0; i < 10_000; i++) limit.countFailure(`10.0.${i >> 8}.${i & 255}`);
    expect(limit.retryAfterSeconds('192.0.2.1')).toBeNull();
    expect(limit.retryAfterSeconds('10.0.39.15')).not.toBeNull();
  });
});

describe('createKeyCache', () => {
  test('a found key is looked up once in its time to live, and again after it; one that is none each time', async () => {
    let nowMs = 0;
    const asked: string[] = [];
    const find = async (key: string) => {
      asked.push(key);
      return key === 'good' ? info() : null;
    };
    const cache = createKeyCache({ keys: { find }, ttlMs: 1_000, now: () => nowMs });
    expect(await Promise.all([cache.find('good'), cache.find('good')])).toEqual([info(), info()]);
    await cache.find('good');
    expect(asked).toEqual(['good']);
    nowMs = 1_001;
    expect([cache.wasGood('good'), cache.wasGood('bad')]).toEqual([true, false]);
    await cache.find('good');
    expect(asked).toEqual(['good', 'good']);
    await cache.find('bad');
    await cache.find('bad');
    expect(asked.filter((key) => key === 'bad')).toHaveLength(2);
  });

  test('a key that was revoked in the meantime is no longer taken for a good one', async () => {
    let nowMs = 0;
    let current = info();
    const cache = createKeyCache({ keys: { find: async () => current }, ttlMs: 1_000, now: () => nowMs });
    await cache.find('key');
    current = info({ revokedAt: '2026-01-02T00:00:00.000Z' });
    expect(await cache.find('key')).toEqual(info());
    nowMs = 1_001;
    expect(await cache.find('key')).toEqual(current);
    expect(cache.wasGood('key')).toBe(false);
  });
});

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
});
afterAll(async () => {
  await t?.close();
});

const makeKey = (owner: string, label = '') => createKeyStore(t).create({ owner, label });
const list = (headers: Record<string, string> = {}) => fetch(`${t.url}/api/v1/lectures`, { headers });

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, code: error.code, challenge: response.headers.get('www-authenticate') };
}

test('no key: 401 with a challenge that names no error; a wrong one: 401 that names it', async () => {
  expect(await errorOf(await list())).toEqual({
    status: 401,
    code: 'unauthenticated',
    challenge: 'Bearer realm="StudyMate"',
  });
  expect(await errorOf(await list({ authorization: 'Bearer nonsense' }))).toEqual({
    status: 401,
    code: 'unauthenticated',
    challenge: 'Bearer realm="StudyMate", error="invalid_token"',
  });
});

test('a key works as bearer and as X-API-Key; the log holds neither', async () => {
  const { key } = await makeKey('ada');
  expect((await list({ authorization: `Bearer ${key}` })).status).toBe(200);
  expect((await list({ 'x-api-key': key })).status).toBe(200);
  expect(JSON.stringify(t.log)).not.toContain(key.slice(-43));
});

test('a key that is revoked while it is used: it works no more, within seconds', async () => {
  const { key, info: made } = await makeKey('ada');
  expect((await list({ 'x-api-key': key })).status).toBe(200);
  await createKeyStore(t).revoke(made.id);
  await until(async () => (await list({ 'x-api-key': key })).status === 401, 'the revocation');
});

test('an event stream whose key is revoked ends, although the lecture has not', async () => {
  const { key, info: made } = await makeKey('ada');
  const client = t.clientFor(key);
  const { id } = await client.uploadLecture(toFile('stream'));
  const response = await fetch(`${t.url}/api/v1/lectures/${id}/events`, { headers: { 'x-api-key': key } });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect((await reader.read()).done).toBe(false);
  await createKeyStore(t).revoke(made.id);
  const drain = async () => {
    for (;;) if ((await reader.read()).done) return 'ended';
  };
  // An answer that is cut off reads as an error.
  expect(await drain().catch(() => 'cut')).toBe('cut');
});

test('twenty wrong keys from one address: 429 for more, but not for a key that has worked before', async () => {
  const own = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  try {
    const { key } = await createKeyStore(own).create({ owner: 'ada', label: '' });
    const ask = (presented: string) =>
      fetch(`${own.url}/api/v1/lectures`, {
        headers: { 'x-api-key': presented, 'x-forwarded-for': '192.0.2.7' },
      });
    expect((await ask(key)).status).toBe(200);
    for (let i = 0; i < 20; i++) expect((await ask(`wrong-${i}`)).status).toBe(401);
    const refused = await ask('wrong-21');
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect((await ask(key)).status).toBe(200);
    const elsewhere = await fetch(`${own.url}/api/v1/lectures`, { headers: { 'x-api-key': 'wrong' } });
    expect(elsewhere.status).toBe(401);
  } finally {
    await own.close();
  }
});

test('sixty wrong keys at once from one address: twenty are answered, the others refused like any further one', async () => {
  const own = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  try {
    const asked = Array.from({ length: 60 }, async (_, i) => {
      const headers = { 'x-api-key': `wrong-${i}`, 'x-forwarded-for': '192.0.2.8' };
      return (await fetch(`${own.url}/api/v1/lectures`, { headers })).status;
    });
    const statuses = await Promise.all(asked);
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
  } finally {
    await own.close();
  }
});

describe('a session', () => {
  const signIn = (apiKey: string, headers: Record<string, string> = {}) =>
    fetch(`${t.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ apiKey }),
    });
  const cookieOf = (response: Response) => response.headers.get('set-cookie') ?? '';

  test('turns a key into a cookie that scripts cannot read, and that works like the key', async () => {
    const { key } = await makeKey('ada');
    const response = await signIn(key);
    expect([response.status, await response.json()]).toEqual([200, { owner: 'ada' }]);
    const cookie = cookieOf(response);
    expect(cookie).toMatch(/; Path=\/api; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    expect((await list({ cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
  });

  test.each([
    ['the page came by https', { origin: 'https://study.example' }],
    ['the proxy says so', { 'x-forwarded-proto': 'https' }],
  ])('is Secure when %s', async (_, headers) => {
    const { key } = await makeKey('ada');
    expect(cookieOf(await signIn(key, headers))).toMatch(/; Secure$/);
  });

  test('with a wrong key: 401 and no cookie; asked for by another site: 403', async () => {
    const wrong = await signIn('nonsense');
    expect([wrong.status, cookieOf(wrong)]).toEqual([401, '']);
    const { key } = await makeKey('ada');
    const forged = await signIn(key, { 'sec-fetch-site': 'cross-site' });
    expect([forged.status, cookieOf(forged)]).toEqual([403, '']);
  });

  test('its cookie changes nothing for a page of another origin, and everything for our own', async () => {
    const { key } = await makeKey('ada');
    const cookie = cookieOf(await signIn(key)).split(';')[0] ?? '';
    const { id } = await t.clientFor(key).uploadLecture(toFile('forged'));
    const remove = (headers: Record<string, string>) =>
      fetch(`${t.url}/api/v1/lectures/${id}`, { method: 'DELETE', headers: { cookie, ...headers } });
    // As a browser sends it from another port of this machine over plain http to an address in the network.
    expect((await remove({ origin: 'http://127.0.0.1:1' })).status).toBe(403);
    expect((await remove({ origin: 'null' })).status).toBe(403);
    expect((await remove({ origin: t.url })).status).toBe(204);
  });

  test('ends: the cookie is taken back, also without a key', async () => {
    const response = await fetch(`${t.url}/api/v1/session`, { method: 'DELETE' });
    expect(response.status).toBe(204);
    expect(cookieOf(response)).toMatch(/^studymate_key=; Path=\/api; Max-Age=0;/);
  });
});
