import { createId } from '@studymate/contracts/ids';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createFailedJobs, type FailedJob, type FailedJobs } from '../src/failed.ts';
import { artifactRef, lectureRecord } from './lecture-fixtures.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
let records: Map<string, LectureRecord>;
let submitted: string[];
let failed: FailedJobs;
beforeAll(() => {
  testRedis = openTestRedis();
});
afterAll(() => testRedis.close());
beforeEach(async () => {
  records = new Map();
  submitted = [];
  failed = openFailedJobs();
  await loseIndex();
});

function openFailedJobs(): FailedJobs {
  return createFailedJobs({
    lectures: {
      read: async (id) => records.get(id) ?? null,
      listAllIds: async () => [...records.keys()],
      async update(id, change) {
        const record = records.get(id);
        if (!record) return null;
        const changed = change(record);
        records.set(id, changed);
        return changed;
      },
    },
    redis: testRedis.redis,
    keys: testRedis.keys,
    submit: async (record) => submitted.push(record.id),
  });
}

const loseIndex = () => testRedis.redis.del(testRedis.keys.failed, testRedis.keys.failedComplete);

const studied = { ingest: artifactRef(), transcribe: artifactRef(), assemble: artifactRef() };
const all = {
  ...studied,
  chapters: artifactRef(),
  topics: artifactRef(),
  summary: artifactRef(),
  flashcards: artifactRef(),
};

/** A lecture whose given stages gave up, `minute` minutes after a certain moment; everything else is done. */
function addFailed(minute: number, stages: StageName[], changes: Partial<LectureRecord> = {}): LectureRecord {
  const id = createId(Date.UTC(2026, 0, 1));
  const artifacts: LectureRecord['artifacts'] = { ...all };
  const failures: LectureRecord['failures'] = {};
  for (const stage of stages) {
    delete artifacts[stage];
    const failedAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
    failures[stage] = { code: 'model_crashed', message: 'It crashed.', attempt: 1, failedAt, part: 0, tries: 3 };
  }
  const record = lectureRecord({ id, artifacts, failures, ...changes });
  records.set(id, record);
  return record;
}

const names = (jobs: FailedJob[]) => jobs.map((job) => `${job.lectureId} ${job.stage}`);

describe('the list of failed jobs', () => {
  test('tells of each stage that gave up what its record says, newest first', async () => {
    const older = addFailed(1, ['topics']);
    const newer = addFailed(2, ['summary']);
    await failed.note(older);
    await failed.note(newer);
    const { jobs, nextCursor } = await failed.list();
    expect(names(jobs)).toEqual([`${newer.id} summary`, `${older.id} topics`]);
    expect(jobs[1]).toEqual({
      lectureId: older.id,
      owner: 'local',
      title: 'A lecture',
      stage: 'topics',
      part: 0,
      attempt: 1,
      code: 'model_crashed',
      message: 'It crashed.',
      tries: 3,
      failedAt: '2026-01-01T00:01:00.000Z',
    });
    expect(nextCursor).toBeNull();
  });

  test('is made anew from the records when Redis has lost its index', async () => {
    const record = addFailed(1, ['topics']);
    await failed.note(record);
    await loseIndex();
    // One that failed after the loss does not make the index whole.
    await failed.note(addFailed(2, ['summary']));
    expect(names((await failed.list()).jobs)).toContain(`${record.id} topics`);
  });

  test('leaves out what was asked for again, cancelled or deleted since', async () => {
    const retried = addFailed(1, ['topics']);
    const cancelled = addFailed(2, ['topics']);
    const deleted = addFailed(3, ['topics']);
    for (const record of [retried, cancelled, deleted]) await failed.note(record);
    records.set(retried.id, { ...retried, attempts: { topics: 2 } });
    records.set(cancelled.id, { ...cancelled, cancelledAt: '2026-01-02T00:00:00.000Z' });
    records.delete(deleted.id);
    expect((await failed.list()).jobs).toEqual([]);
  });

  test('leaves out a lecture that was made for one request, which is not done again either', async () => {
    const hidden = addFailed(1, ['topics'], { transientUntil: '2026-01-02T00:00:00.000Z' });
    const shown = addFailed(2, ['topics']);
    // As a version that told of them may have left it.
    await testRedis.redis.zadd(testRedis.keys.failed, 1, `${hidden.id}-topics`);
    await failed.reindex();
    expect(names((await failed.list()).jobs)).toEqual([`${shown.id} topics`]);
    expect(names((await failed.retry({})).retried)).toEqual([`${shown.id} topics`]);
    expect(records.get(hidden.id)).toBe(hidden);
  });

  test('comes in pages that together hold each job once, also of one moment', async () => {
    const expected = new Set<string>();
    for (let i = 0; i < 25; i++) {
      const record = addFailed(i < 20 ? 1 : 2, ['topics', 'summary']);
      expected.add(`${record.id} topics`).add(`${record.id} summary`);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await failed.list({ limit: 7, ...(cursor !== null && { cursor }) });
      seen.push(...names(page.jobs));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(50);
    expect(new Set(seen)).toEqual(expected);
  });

  test('holds only what fits the filter', async () => {
    const mine = addFailed(1, ['topics', 'summary'], { owner: 'ada' });
    addFailed(2, ['topics'], { owner: 'bob' });
    expect(names((await failed.list({ owner: 'ada' })).jobs).sort()).toEqual([
      `${mine.id} summary`,
      `${mine.id} topics`,
    ]);
    expect(names((await failed.list({ owner: 'ada', stage: 'topics' })).jobs)).toEqual([`${mine.id} topics`]);
    expect((await failed.list({ lectureId: mine.id })).jobs).toHaveLength(2);
    expect((await failed.list({ code: 'no_audio' })).jobs).toEqual([]);
  });

  test('refuses a cursor that is none of its own', async () => {
    await expect(failed.list({ cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('forgets lectures that are no more when it is made anew', async () => {
    await failed.note(addFailed(1, ['topics']));
    records.clear();
    expect(await failed.reindex()).toBe(0);
    expect(await testRedis.redis.zcard(testRedis.keys.failed)).toBe(0);
  });

  test('keeps what failed while it was made anew, of a lecture that was not there before', async () => {
    await failed.note(addFailed(1, ['topics']));
    records.clear();
    const known = addFailed(2, ['summary']);
    const index = await failed.beginReindex();
    const lectureIds = [...records.keys()];
    const late = addFailed(3, ['topics']);
    await failed.note(known);
    await failed.note(late);
    expect(await index.finish(lectureIds)).toBe(2);
    expect(names((await failed.list()).jobs)).toEqual([`${late.id} topics`, `${known.id} summary`]);
  });
});

describe('a retry in bulk', () => {
  test('gives every stage of every lecture that fits a new attempt, and queues each lecture once', async () => {
    const [both, one] = [addFailed(1, ['topics', 'summary']), addFailed(2, ['topics'])];
    const other = addFailed(3, ['flashcards'], { owner: 'bob' });
    const { retried, refused, more } = await failed.retry({ owner: 'local' });
    expect(names(retried).sort()).toEqual([`${both.id} summary`, `${both.id} topics`, `${one.id} topics`].sort());
    expect({ refused, more }).toEqual({ refused: [], more: false });
    expect(submitted.sort()).toEqual([both.id, one.id].sort());
    expect(records.get(both.id)).toMatchObject({ attempts: { topics: 2, summary: 2 }, failures: {} });
    expect(names((await failed.list()).jobs)).toEqual([`${other.id} flashcards`]);
  });

  test('leaves a lecture alone that is still being worked on, and says so', async () => {
    const record = addFailed(1, ['topics'], {
      artifacts: studied,
      failures: { topics: { code: 'internal', message: '', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' } },
    });
    const { retried, refused } = await failed.retry({});
    expect(retried).toEqual([]);
    expect(refused).toMatchObject([{ job: { lectureId: record.id, tries: null }, code: 'not_ready' }]);
    expect(submitted).toEqual([]);
  });

  test('stops at its limit and says that there is more', async () => {
    for (let i = 0; i < 3; i++) addFailed(i, ['topics']);
    const first = await failed.retry({}, { limit: 2 });
    expect(first.retried).toHaveLength(2);
    expect(first.more).toBe(true);
    const rest = await failed.retry({}, { limit: 2 });
    expect(rest.retried).toHaveLength(1);
    expect(rest.more).toBe(false);
  });
});
