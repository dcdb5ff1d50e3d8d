import { createId } from '@studymate/contracts/ids';
import { recordKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteExpired } from '../src/retention.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(async () => {
  await runners?.close();
});

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);
const failure = { code: 'not_media', message: 'no', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
const ended = { failures: { ingest: failure } };
const make = (ageDays: number, changes = {}) =>
  runners.makeLecture({ id: createId(nowMs - ageDays * dayMs), ...changes });

test('only what has ended and is older goes, with its recording; a damaged one stays and holds up no other', async () => {
  const old = await make(31, ended);
  const older = await make(40, { cancelledAt: '2026-01-01T00:00:00.000Z' });
  const damaged = await make(50, ended);
  await runners.blobs.put(recordKey(damaged.id, 2), Buffer.from('{'));
  const kept = [await make(29, ended), await make(60)];
  const forgotten: string[] = [];
  const errors: string[] = [];
  const deps = {
    lectures: runners.lectures,
    forget: async (id: string) => void forgotten.push(id),
    onError: (_: unknown, id: string) => errors.push(id),
  };
  expect(await deleteExpired(deps, 0, nowMs)).toBe(0);
  expect(await deleteExpired(deps, 30, nowMs)).toBe(2);
  expect(forgotten.sort()).toEqual([older.id, old.id].sort());
  expect(errors).toEqual([damaged.id]);
  for (const { id, media } of [old, older]) {
    expect([await runners.lectures.read(id), await runners.blobs.stat(media.key)]).toEqual([null, null]);
  }
  for (const { id } of kept) expect(await runners.lectures.read(id)).toMatchObject({ id });
  expect(await deleteExpired(deps, 30, nowMs)).toBe(0);
});
