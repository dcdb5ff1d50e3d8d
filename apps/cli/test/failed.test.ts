import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from './support/cli.ts';
import { addLecture, finished, openTestStore, summaryFailed, type TestStore } from './support/store.ts';

let store: TestStore;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

const failed = (...args: string[]) => cli(['failed', ...args], store.env);

test('a stage that gave up is listed with why, and done again: a new attempt, queued', async () => {
  const { id } = await addLecture(store, summaryFailed);
  await addLecture(store, finished);
  const listed = await failed('list');
  expect(listed.status).toBe(0);
  expect(listed.out).toMatch(
    new RegExp(`^2026-01-01T00:00:00.000Z +${id} +ada +summary .*timeout +The stage took`, 'm'),
  );
  expect(listed.out.split('\n')).toHaveLength(2);

  const retried = await failed('retry', '--stage', 'summary');
  expect([retried.status, retried.out]).toEqual([0, '1 will be done again, 0 refused.']);
  expect((await store.lectures.read(id))?.attempts.summary).toBe(2);
  const jobs = (await store.queues.all().get('study')?.getJobs()) ?? [];
  expect(jobs.map((job) => job.data)).toEqual([{ lectureId: id, stage: 'summary', part: 0, attempt: 2 }]);
  expect((await failed('list')).err).toBe('No stage has failed.');
});

test('filters: by owner, stage, code and lecture, all together', async () => {
  const hers = await addLecture(store, summaryFailed);
  await addLecture(store, { ...summaryFailed, owner: 'bob' });
  const ids = async (...args: string[]) =>
    (JSON.parse((await failed('list', '--json', ...args)).out).jobs as { lectureId: string }[]).map(
      (job) => job.lectureId,
    );
  expect(await ids()).toHaveLength(2);
  expect(await ids('--owner', 'ada')).toEqual([hers.id]);
  expect(await ids('--lecture', hers.id, '--code', 'timeout', '--stage', 'summary')).toEqual([hers.id]);
  expect(await ids('--stage', 'topics')).toEqual([]);
  expect(await ids('--code', 'internal')).toEqual([]);
  expect((await failed('list', '--code', 'internal')).err).toBe('None fits.');
});

test('a list in pages: the cursor goes on where the page ended', async () => {
  for (let i = 0; i < 3; i++) await addLecture(store, summaryFailed);
  const first = JSON.parse((await failed('list', '--limit', '2', '--json')).out);
  const second = JSON.parse((await failed('list', '--limit', '2', '--json', '--cursor', first.nextCursor)).out);
  const ids = [...first.jobs, ...second.jobs].map((job: { lectureId: string }) => job.lectureId);
  expect(new Set(ids).size).toBe(3);
  expect((await failed('list', '--limit', '2')).err).toContain(`--cursor ${first.nextCursor}`);
});

test('a retry that fits nothing: status 1', async () => {
  await addLecture(store, summaryFailed);
  expect(await failed('retry', '--owner', 'nobody')).toMatchObject({ status: 1, err: 'None fits.' });
});

test.each([
  [['retry'], '--all'],
  [['retry', '--all', '--stage', 'summary'], '--all'],
  [['retry', '--all', '--limit', '0'], '--limit'],
  [['list', '--limit', 'many'], '--limit'],
  [['list', '--stage', 'nonsense'], '--stage'],
  [['list', '--lecture', '../x'], '--lecture'],
  [['list', '--all'], '--all'],
  [['nonsense'], 'nonsense'],
] as [string[], string][])('called in a wrong way, %j: status 2, and nothing is done', async (args, told) => {
  const { id } = await addLecture(store, summaryFailed);
  const result = await failed(...args);
  expect([result.status, result.out]).toEqual([2, '']);
  expect(result.err).toContain(told);
  expect((await store.lectures.read(id))?.attempts.summary).toBeUndefined();
});

test('a cursor that is none of ours: status 1', async () => {
  expect(await failed('list', '--cursor', 'nonsense')).toMatchObject({ status: 1, out: '' });
});
