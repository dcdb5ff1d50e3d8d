import type { ModelReport } from '@studymate/contracts/models';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createModelFleet, toModelStatus } from '../src/model-fleet.ts';
import { openTestRedis } from './support/redis.ts';

const t = openTestRedis();
afterAll(() => t.close());
const { redis, keys } = t;
const fleet = createModelFleet({ redis, keys });
beforeEach(async () => {
  const left = await redis.keys(`${t.prefix}:model-*`);
  if (left.length > 0) await redis.del(...left);
});

const report = (changes: Partial<ModelReport>): ModelReport => ({
  family: 'speech',
  state: 'unloaded',
  since: '2026-01-01T00:00:00.000Z',
  lastLoadSeconds: null,
  memoryBytes: null,
  openWork: 0,
  failureCode: null,
  ...changes,
});

test('a family is ready when any worker has it ready, with the memory and the work of all', () => {
  const since = '2026-01-01T00:00:05.000Z';
  const reports = [
    report({ state: 'failed', failureCode: 'model_damaged' }),
    report({ state: 'ready', since: '2026-01-01T00:00:09.000Z', memoryBytes: 300, openWork: 1 }),
    report({ state: 'ready', since, lastLoadSeconds: 0.7, memoryBytes: 200, openWork: 3 }),
  ];
  expect(toModelStatus('speech', reports, [])).toEqual({
    family: 'speech',
    state: 'ready',
    since,
    lastLoadSeconds: 0.7,
    expectedLoadSeconds: 2,
    memoryBytes: 500,
    openWork: 4,
    failureCode: 'model_damaged',
    workers: 3,
    readyWorkers: 2,
  });
});

test.each([
  [['unloaded', 'loading', 'failed'], 'loading'],
  [['unloaded', 'failed'], 'failed'],
  [['unloaded'], 'unloaded'],
  [[], 'unloaded'],
] as const)('workers in %j: the family is %s', (states, expected) => {
  const reports = states.map((state) => report({ state }));
  expect(toModelStatus('speech', reports, []).state).toBe(expected);
});

test('the expected load is the median of the last five that were measured, and an assumption before', async () => {
  const expected = async () => (await fleet.read()).map((status) => status.expectedLoadSeconds);
  expect(await expected()).toEqual([2, 1.5]);
  for (const seconds of [9, 8, 7]) await fleet.recordLoad('text', seconds);
  expect(await expected()).toEqual([2, 8]);
  for (const seconds of [1, 2, 30, 1, 1]) await fleet.recordLoad('text', seconds);
  expect(await expected()).toEqual([2, 1]);
  expect(await redis.llen(keys.modelLoads('text'))).toBe(5);
});

test('what a worker says replaces what it said before, and what another one said stays', async () => {
  await fleet.report('a', [report({ state: 'ready' })]);
  await fleet.report('b', [report({ state: 'loading' })]);
  await fleet.report('a', [report({ state: 'unloaded' })]);
  expect((await fleet.read())[0]).toMatchObject({ state: 'loading', workers: 2, readyWorkers: 0 });
});

test('a worker that stops, or renews nothing any more, is no longer counted', async () => {
  await fleet.report('stopped', [report({ state: 'ready' })]);
  await fleet.report('dead', [report({ state: 'ready' })]);
  await fleet.withdraw('stopped');
  expect((await fleet.read())[0]).toMatchObject({ state: 'ready', workers: 1 });
  // Its time is up: Redis would do this after 15 s.
  expect(await redis.pttl(keys.modelReport('dead'))).toBeGreaterThan(0);
  await redis.pexpire(keys.modelReport('dead'), 0);
  expect((await fleet.read())[0]).toMatchObject({ state: 'unloaded', workers: 0 });
  expect(await redis.scard(keys.modelWorkers)).toBe(0);
});

test('a report of a form that is not known is left out', async () => {
  await fleet.report('new', [{ ...report({}), state: 'dreaming' } as never]);
  expect((await fleet.read())[0]).toMatchObject({ state: 'unloaded', workers: 0 });
});
