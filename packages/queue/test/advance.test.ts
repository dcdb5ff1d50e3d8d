import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ActiveLectures, createActiveLectures } from '../src/active.ts';
import { createAdvancer } from '../src/advance.ts';
import { createQuickCalls } from '../src/quick.ts';
import { emptyIndex, lectureId, lectureRecord } from './lecture-fixtures.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
let active: ActiveLectures;
let record: LectureRecord | null;
let index: ArtifactIndex;
beforeAll(() => {
  testRedis = openTestRedis();
  active = createActiveLectures(testRedis);
});
afterAll(() => testRedis.close());
beforeEach(async () => {
  record = lectureRecord();
  index = emptyIndex;
  for (const queue of testRedis.queues.all().values()) await queue.obliterate({ force: true });
});

function advancer() {
  const lectures = { read: async () => record, readIndex: async () => index };
  return createAdvancer({ lectures, queues: testRedis.queues, active });
}

test('advancing a lecture many times at once queues each job once', async () => {
  index = { cutChunks: [0, 1], transcribedChunks: [] };
  await Promise.all(Array.from({ length: 10 }, () => advancer().advance(lectureId)));
  expect(await testRedis.queues.countOpen('ingest')).toBe(1);
  expect(await testRedis.queues.countOpen('transcribe')).toBe(2);
});

test("the first chunk of a later lecture goes before an earlier lecture's other chunks", async () => {
  index = { cutChunks: [1, 2], transcribedChunks: [] };
  await advancer().advance(lectureId);
  const other = { lectureId: 'other', stage: 'transcribe', part: 0, attempt: 1 } as const;
  await testRedis.queues.addStageJobs(lectureRecord(), [other]);
  const [first] = (await testRedis.queues.all().get('transcribe')?.getPrioritized()) ?? [];
  expect(first?.data).toMatchObject({ lectureId: 'other', part: 0 });
});

test('jobs that Redis has lost are added again when asked to, by the process that had added them', async () => {
  const advance = advancer();
  await advance.advance(lectureId);
  await testRedis.queues.all().get('ingest')?.obliterate({ force: true });
  await advance.advance(lectureId);
  expect(await testRedis.queues.countOpen('ingest')).toBe(0);
  await advance.advance(lectureId, { again: true });
  expect(await testRedis.queues.countOpen('ingest')).toBe(1);
});

test('a lecture with nothing left to do stays on the list of unfinished ones until its end was told', async () => {
  record = lectureRecord({ cancelledAt: '2026-01-01T00:00:00.000Z' });
  await active.add(lectureRecord());
  await advancer().advance(lectureId);
  expect(await active.list()).toEqual([lectureId]);
});

test('a lecture that was deleted leaves the list of unfinished ones', async () => {
  await active.add(lectureRecord());
  expect(await active.list()).toEqual([lectureId]);
  record = null;
  await advancer().advance(lectureId);
  expect(await active.list()).toEqual([]);
});

test('a quick call that no worker answers ends in a timeout with its code', async () => {
  const { queues, prefix } = testRedis;
  const calls = createQuickCalls({
    queues,
    eventsConnection: testRedis.connect(),
    prefix,
    hasWorker: async () => true,
  });
  const call = calls.call({ kind: 'summarize', request: { text: 'Some text.' } }, { timeoutMs: 50 });
  await expect(call).rejects.toMatchObject({ code: 'timeout' });
  await calls.close();
});
