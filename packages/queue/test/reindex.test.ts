import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { beforeEach, expect, test } from 'vitest';
import { reindexLectures } from '../src/reindex.ts';
import { artifactRef, emptyIndex, lectureRecord } from './lecture-fixtures.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-03-01T00:00:00Z');
const done = { artifacts: Object.fromEntries(stageNames.map((stage) => [stage, artifactRef()])) };
const failure = { code: 'internal', message: '', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' } as const;

let records: Map<string, LectureRecord>;
let leftovers: Set<string>;
let withNews: Set<string>;
let settled: Map<string, number>;
/** What was read since the last round. */
let read: string[];

beforeEach(() => {
  records = new Map();
  leftovers = new Set();
  withNews = new Set();
  settled = new Map();
});

const add = (id: string, changes: Partial<LectureRecord>) => records.set(id, lectureRecord({ id, ...changes }));

function reindex(atMs: number) {
  read = [];
  return reindexLectures({
    lectures: {
      listAllIds: async () => [...records.keys()],
      async read(id) {
        read.push(id);
        return records.get(id) ?? null;
      },
      readIndex: async () => emptyIndex,
      hasLeftovers: async (id) => leftovers.has(id),
    },
    failed: { note: async () => {}, beginReindex: async () => ({ finish: async () => 0 }) },
    takeUp: async () => {},
    visit: async ({ id }) => withNews.has(id),
    settled,
    nowMs: atMs,
  });
}

test('a lecture with nothing left to do is read once, and again within a day; all others in each round', async () => {
  add('done', done);
  add('begun', {});
  add('failed', { failures: { ingest: failure } });
  add('cancelled', { cancelledAt: '2026-01-01T00:00:00.000Z' });
  add('left', done);
  add('untold', done);
  leftovers.add('left');
  withNews.add('untold');
  const all = [...records.keys()].sort();
  expect(await reindex(nowMs)).toMatchObject({ lectures: 6, unfinished: 2 });
  expect(read).toEqual(all);
  expect(await reindex(nowMs + 300_000)).toMatchObject({ lectures: 6, unfinished: 2 });
  expect(read).toEqual(all.filter((id) => id !== 'done'));
  await reindex(nowMs + dayMs);
  expect(read).toEqual(all);
});

test('what has been wound up since is remembered, what is gone is forgotten', async () => {
  add('left', done);
  leftovers.add('left');
  await reindex(nowMs);
  leftovers.clear();
  await reindex(nowMs);
  await reindex(nowMs);
  expect(read).toEqual([]);
  records.clear();
  await reindex(nowMs);
  expect(settled.size).toBe(0);
});
