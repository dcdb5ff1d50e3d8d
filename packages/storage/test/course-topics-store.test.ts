import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import type { CourseRecord } from '@studymate/contracts/course';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createArtifacts } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { type CourseStore, createCourseStore } from '../src/course-store.ts';
import { type CourseTopicsStore, createCourseTopicsStore, toTopicsInputHash } from '../src/course-topics-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { courseTopicsKey, courseTopicsPrefix, recordKey } from '../src/lecture-keys.ts';
import { createLectureStore, type LectureStore } from '../src/lecture-store.ts';
import { makeRecord } from './support/records.ts';

let rootDir: string;
let blobs: BlobStore;
let courses: CourseStore;
let lectures: LectureStore;
let topics: CourseTopicsStore;
let course: CourseRecord;
beforeEach(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-course-topics-'));
  blobs = await createFileBlobStore({ rootDir });
  courses = createCourseStore({ blobs });
  lectures = createLectureStore({ blobs });
  topics = createCourseTopicsStore({ blobs, lectures, artifacts: createArtifacts({ blobs }) });
  const createdAt = new Date(0).toISOString();
  course = { schemaVersion: 1, id: createId(), version: 1, owner: 'ada', title: 'A', createdAt };
  await courses.create(course);
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true, force: true });
});

async function makeLecture(courseId: string | null, changes = {}): Promise<string> {
  const record = { ...makeRecord(createId(), 'ada'), courseId, ...changes };
  await lectures.create(record);
  return record.id;
}

function makeKept(inputHash: string, lectureIds: readonly string[] = []): KeptCourseTopics {
  return {
    schemaVersion: 1,
    inputHash,
    weights: 'model#1',
    fittedPassages: 1,
    nextId: 1,
    topics: [],
    lectures: lectureIds.map((lectureId) => ({ lectureId, source: lectureId, passages: [] })),
  };
}

const kept = () => blobs.list(courseTopicsPrefix(course.id));

const readKept = async () => (await topics.read(course.id))?.kept;
const write = async (kept: KeptCourseTopics) =>
  topics.write(course.id, kept, (await topics.read(course.id))?.version ?? 0);

test('the newest version is read, and those before it are gone', async () => {
  expect(await topics.read(course.id)).toBeNull();
  for (const hash of ['a', 'b', 'c']) expect(await write(makeKept(hash))).toBe(true);
  expect(await topics.read(course.id)).toEqual({ version: 3, kept: makeKept('c') });
  expect(await kept()).toEqual([courseTopicsKey(course.id, 3)]);
});

test('what was made of an earlier version than the newest is not written', async () => {
  await write(makeKept('a'));
  expect(await topics.write(course.id, makeKept('b'), 0)).toBe(false);
  await write(makeKept('c'));
  expect(await topics.write(course.id, makeKept('d'), 0)).toBe(false);
  expect(await topics.write(course.id, makeKept('d'), 1)).toBe(false);
  expect((await readKept())?.inputHash).toBe('c');
});

test('a version that goes between being listed and being read: the next one is read', async () => {
  await write(makeKept('a'));
  const artifacts = createArtifacts({ blobs });
  const overtaken = createCourseTopicsStore({
    ...{ blobs, lectures },
    artifacts: {
      async readArtifact(key, schema) {
        if (key === courseTopicsKey(course.id, 1)) await topics.write(course.id, makeKept('b'), 1);
        return artifacts.readArtifact(key, schema);
      },
    },
  });
  expect(await overtaken.read(course.id)).toMatchObject({ version: 2, kept: { inputHash: 'b' } });
});

test('a damaged version has no topics, the next one is written over it, and no id is given again', async () => {
  await blobs.put(courseTopicsKey(course.id, 1), Buffer.from('{'));
  expect(await readKept()).toMatchObject({ topics: [], lectures: [], nextId: 100 });
  await write(makeKept('b'));
  expect((await readKept())?.inputHash).toBe('b');
});

test('the lectures of a course: its own alone, the earliest first, without a damaged one and one of a request', async () => {
  const first = await makeLecture(course.id);
  await makeLecture(null);
  await makeLecture(createId());
  await makeLecture(course.id, { transientUntil: new Date().toISOString() });
  const damaged = await makeLecture(course.id);
  await blobs.put(recordKey(damaged, 1), Buffer.from('{'));
  const last = await makeLecture(course.id);
  const ids = (await topics.listLectures(course)).map(({ id }) => id);
  expect([...ids].sort()).toEqual([first, last].sort());
  expect(ids).toEqual([...ids].sort());
});

test('collect: of topics that know of a lecture that has gone, ids stay and nothing of its words', async () => {
  const [stays, goes] = [await makeLecture(course.id), await makeLecture(course.id)];
  const topic = { id: 4, label: 'word', terms: [{ term: 'word', weight: 1 }], centre: [1], leastCosine: 0.5 };
  await write({ ...makeKept('a', [stays, goes]), topics: [topic], nextId: 5 });
  expect(await topics.collect(courses)).toBe(0);
  await lectures.delete(goes);
  expect(await topics.collect(courses)).toBe(1);
  expect(await kept()).toEqual([courseTopicsKey(course.id, 2)]);
  const left = await readKept();
  expect(left).toMatchObject({ inputHash: '', weights: 'model#1', fittedPassages: 0, nextId: 5 });
  expect(left?.topics).toEqual([{ id: 4, label: '', terms: [], centre: [], leastCosine: 0 }]);
  expect(left?.lectures.map(({ lectureId }) => lectureId)).toEqual([stays]);
  expect(await topics.collect(courses)).toBe(0);
});

test('collect: also when the lecture was moved; with the course all goes', async () => {
  const moved = await makeLecture(course.id);
  await write(makeKept('a', [moved]));
  await lectures.update(moved, (record) => ({ ...record, courseId: null }));
  expect(await topics.collect(courses)).toBe(1);
  expect(await readKept()).toMatchObject({ lectures: [], nextId: 1 });
  await courses.delete(course.id);
  expect(await topics.collect(courses)).toBe(1);
  expect(await kept()).toEqual([]);
});

test('collect: a lecture that cannot be read does not keep it from the others', async () => {
  const damaged = await makeLecture(course.id);
  await write(makeKept('a', [damaged]));
  await blobs.put(recordKey(damaged, 1), Buffer.from('{'));
  expect(await topics.collect(courses)).toBe(1);
});

test('the hash of the input does not depend on the order, and does on every lecture', () => {
  expect(toTopicsInputHash(['a', 'b'])).toBe(toTopicsInputHash(['b', 'a']));
  expect(toTopicsInputHash(['a'])).not.toBe(toTopicsInputHash(['a', 'b']));
});
