import { rename } from 'node:fs/promises';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterEach, expect, test } from 'vitest';
import { makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
afterEach(() => t?.close());

test('a store that is gone: refused with a code and Retry-After, then without asking it, and not any more when it is back', async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
  const { id } = await makeLecture(t);
  const ask = async () => {
    const response = await fetch(`${t.url}/api/v1/lectures/${id}`);
    const { error } = (await response.json()) as { error?: { code: string } };
    return [response.status, error?.code].join(' ');
  };
  const refusals = async () =>
    Number(/circuit_breaker_refusals_total\{.*dependency="store".*\} (\d+)/.exec(await t.metrics.text())?.[1]);
  const isUp = async () => /^dependency_up\{.*dependency="store".*\} (\d)$/m.exec(await t.metrics.text())?.[1];
  expect(await ask()).toBe('200 ');
  expect(await isUp()).toBe('1');
  await rename(t.config.dataDir, `${t.config.dataDir}-away`);
  try {
    await until(async () => {
      expect(await ask()).toBe('503 storage_unavailable');
      return (await refusals()) > 0;
    }, 'a refusal by the breaker');
    const response = await fetch(`${t.url}/api/v1/lectures/${id}`);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await isUp()).toBe('0');
    await response.body?.cancel();
  } finally {
    await rename(`${t.config.dataDir}-away`, t.config.dataDir);
  }
  await until(async () => (await ask()) === '200 ', 'the store');
});
