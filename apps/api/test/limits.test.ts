import { spawnRedis, testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterEach, describe, expect, test } from 'vitest';
import { makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(env: Record<string, string>, redisUrl = testRedisUrl()): Promise<TestApi> {
  const t = await startTestApi({ redisUrl, env });
  closing.push(t.close);
  return t;
}

const from = (address: string, key?: string) => ({
  headers: { 'x-forwarded-for': address, ...(key !== undefined && { 'x-api-key': key }) },
});
async function statusOf(url: string, init?: RequestInit): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}

async function makeKeys(t: TestApi): Promise<[string, string]> {
  const keys = createKeyStore(t);
  const make = async (owner: string) => (await keys.create({ owner, label: '' })).key;
  return [await make('ada'), await make('bob')];
}

describe('requests of one address within a minute', () => {
  test('are told their limit and what is left; beyond it they are refused, over all copies, and others are not', async () => {
    const t = await start({ RATE_LIMIT_PER_ADDRESS: '3' });
    const other = await start({ RATE_LIMIT_PER_ADDRESS: '3', QUEUE_PREFIX: t.config.redis.prefix });
    const path = '/api/v1/lectures';
    const first = await fetch(`${t.url}${path}`, from('192.0.2.1'));
    expect(first.headers.get('ratelimit-policy')).toBe('"address";q=3;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"address";r=2;t=\d+$/);
    expect(await statusOf(`${other.url}${path}`, from('192.0.2.1'))).toBe(200);
    expect(await statusOf(`${t.url}${path}`, from('192.0.2.1'))).toBe(200);
    for (const { url } of [t, other, other]) {
      const refused = await fetch(`${url}${path}`, from('192.0.2.1'));
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ error: { code: 'too_many_requests', limit: 3 } });
      const retryAfter = Number(refused.headers.get('retry-after'));
      expect(retryAfter).toBeGreaterThanOrEqual(1);
      expect(retryAfter).toBeLessThanOrEqual(60);
      expect(refused.headers.get('ratelimit')).toMatch(/^"address";r=0;t=\d+$/);
    }
    expect(await statusOf(`${t.url}${path}`, from('192.0.2.2'))).toBe(200);
  });

  test('that are uploads, media, event streams, or ask after health are not counted', async () => {
    const t = await start({ RATE_LIMIT_PER_ADDRESS: '1' });
    const { id } = await makeLecture(t, { cancelledAt: '2026-01-01T00:00:00.000Z' });
    const paths = [
      '/health/fast',
      '/health/live',
      '/',
      `/api/v1/lectures/${id}/media`,
      `/api/v1/Lectures/${id}/events/`,
    ];
    for (let i = 0; i < 2; i++) {
      for (const path of paths) expect([path, await statusOf(`${t.url}${path}`)]).toEqual([path, 200]);
      const form = new FormData();
      form.append('file', toFile(`sound ${i}`));
      expect(await statusOf(`${t.url}/api/v1/lectures`, { method: 'POST', body: form })).toBe(202);
    }
    expect(await statusOf(`${t.url}/api/v1/lectures`)).toBe(200);
    expect(await statusOf(`${t.url}/api/v1/lectures`)).toBe(429);
  });

  test('beyond the limit at the routes of OpenAI: in the form of its errors', async () => {
    const t = await start({ RATE_LIMIT_PER_ADDRESS: '1' });
    await statusOf(`${t.url}/v1/models`);
    const refused = await fetch(`${t.url}/v1/models`);
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'too_many_requests' } });
  });

  test('without a limit (RATE_LIMIT=off): nothing is counted and nothing said', async () => {
    const t = await start({ RATE_LIMIT: 'off', RATE_LIMIT_PER_ADDRESS: '1' });
    await statusOf(`${t.url}/api/v1/lectures`);
    const response = await fetch(`${t.url}/api/v1/lectures`);
    expect([response.status, response.headers.get('ratelimit')]).toEqual([200, null]);
  });

  test('while Redis hangs or is away: are answered, and not counted', async () => {
    const redis = await spawnRedis();
    const t = await start({ RATE_LIMIT_PER_ADDRESS: '1' }, redis.url);
    const ask = async () => {
      const response = await fetch(`${t.url}/openapi.json`, { signal: AbortSignal.timeout(90_000) });
      return [response.status, response.headers.get('ratelimit')];
    };
    try {
      redis.signal('SIGSTOP');
      for (let i = 0; i < 3; i++) expect(await ask()).toEqual([200, null]);
    } finally {
      redis.signal('SIGCONT');
      await redis.stop();
    }
    for (let i = 0; i < 3; i++) expect(await ask()).toEqual([200, null]);
  });
});

test("an owner's requests within a minute: counted whatever the address; another owner's are not among them", async () => {
  const t = await start({ AUTH: 'keys', RATE_LIMIT_PER_OWNER: '2' });
  const [ada, bob] = await makeKeys(t);
  const path = `${t.url}/api/v1/lectures`;
  const first = await fetch(path, from('192.0.2.1', ada));
  expect(first.headers.get('ratelimit-policy')).toBe('"address";q=3000;w=60, "owner";q=2;w=60');
  expect(await statusOf(path, from('192.0.2.2', ada))).toBe(200);
  const refused = await fetch(path, from('192.0.2.3', ada));
  expect(refused.status).toBe(429);
  expect(refused.headers.get('ratelimit')).toMatch(/^"address";r=2999;t=\d+, "owner";r=0;t=\d+$/);
  expect(await statusOf(path, from('192.0.2.3', bob))).toBe(200);
});

describe('short requests of one owner that wait', () => {
  test('are limited over all copies; another owner has room, and there is room again when one has ended', async () => {
    const env = { AUTH: 'keys', MAX_WAITING_REQUESTS_PER_OWNER: '1' };
    const t = await start(env);
    const [ada, bob] = await makeKeys(t);
    const other = await start({ ...env, QUEUE_PREFIX: t.config.redis.prefix, DATA_DIR: t.config.dataDir });
    const leaving = new AbortController();
    let texts = 0;
    const ask = (url: string, key: string, signal = leaving.signal) =>
      fetch(`${url}/api/v1/summarize`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({ text: `Nobody answers this: ${++texts}.` }),
        signal,
      });
    const queue = t.queues.all().get('quick');
    const waiting = [ask(t.url, ada).catch(() => {})];
    await expect.poll(() => queue?.getWaitingCount()).toBe(1);
    for (const { url } of [t, other]) {
      const refused = await ask(url, ada);
      expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: 'queue_full', limit: 1 } }]);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    }
    waiting.push(ask(other.url, bob).catch(() => {}));
    await expect.poll(() => queue?.getWaitingCount()).toBe(2);
    leaving.abort();
    await Promise.all(waiting);
    /** What is wrong with a request is seen when there is room for it only. */
    const statusOfWrong = () =>
      statusOf(`${other.url}/api/v1/topics`, { method: 'POST', body: '{', headers: { 'x-api-key': ada } });
    await expect.poll(statusOfWrong).toBe(415);
  });
});
