import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CourseRecord } from '@studymate/contracts/course';
import { createId } from '@studymate/contracts/ids';
import { createCourseStore } from '@studymate/storage/course-store';
import { createCourseTopicsStore, toTopicSource, toTopicsInputHash } from '@studymate/storage/course-topics-store';
import { courseTopicsPrefix, passagesKey, searchIndexKey } from '@studymate/storage/lecture-keys';
import { toIndexBytes } from '@studymate/study/search/index-bytes';
import { quantise } from '@studymate/study/search/quantised-vectors';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CourseTopicsDeps, keepCourseTopics } from '../src/quick/course-topics.ts';
import { createStudyProcess, type StudyProcess } from '../src/study-process/study-process.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let dir: string;
let studyProcess: StudyProcess;
let t: TestRunners;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-course-topics-'));
  const program = path.join(dir, 'study-process.mjs');
  const entry = new URL('../src/study-process/main.ts', import.meta.url).pathname;
  const banner = { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" };
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', banner });
  studyProcess = createStudyProcess({ path: program });
  t = await openTestRunners();
});
afterAll(async () => {
  await t?.close();
  await studyProcess?.close();
  await rm(dir, { recursive: true });
});

const never = new AbortController().signal;
const press = 'The printing press and its movable type.';
const oven = 'Yeast and flour make the dough.';

async function makeCourse(): Promise<{ course: CourseRecord; deps: CourseTopicsDeps }> {
  const courses = createCourseStore(t);
  const createdAt = new Date(0).toISOString();
  const course: CourseRecord = { schemaVersion: 1, id: createId(), version: 1, owner: 'ada', title: 'A', createdAt };
  await courses.create(course);
  return { course, deps: { courses, courseTopics: createCourseTopicsStore(t), artifacts: t.artifacts, studyProcess } };
}

/** A lecture with chapters and an index: passages of ten seconds, about the press or the oven. */
async function makeLecture(courseId: string, texts: readonly string[], weights = 'model#1'): Promise<string> {
  const { id } = await t.makeLecture({ owner: 'ada', courseId });
  const vectors = Float32Array.from(texts.flatMap((text) => (text === press ? [1, 0] : [0, 1])));
  const lengths = new Uint16Array(texts.length);
  const none = { terms: [], starts: new Uint32Array(1), rows: new Uint16Array(), counts: new Uint8Array(), lengths };
  const index = { language: 'en', weights, keywords: none, vectors: quantise({ dimensions: 2, vectors }) };
  const passages = texts.map((text, i) => ({
    ...{ start: i * 10, end: i * 10 + 10, text },
    ...{ firstSentence: i, sentenceCount: 1 },
  }));
  await t.artifacts.createArtifact(passagesKey(id, 1), { schemaVersion: 1, content: { inputHash: 'ab', passages } });
  await t.artifacts.createBytes(searchIndexKey(id, 1), toIndexBytes(index));
  const startedAt = new Date(0).toISOString();
  const key = `lectures/${id}/chapters/1/chapters.json`;
  const chapters = { key, schemaVersion: 1, algorithm: 'a@1', attempt: 1, startedAt, seconds: 1, cold: false };
  await t.lectures.update(id, (record) => ({ ...record, artifacts: { chapters } }));
  return id;
}

const sources = async (ids: readonly string[]) => {
  const records = await Promise.all(ids.map((id) => t.lectures.read(id)));
  return records.flatMap((record) => (record && toTopicSource(record)) ?? []);
};

test('topics of a course: found over its lectures, kept, and kept again when one is added', async () => {
  const { course, deps } = await makeCourse();
  const first = await makeLecture(course.id, [press, press, press, oven, oven, oven]);
  await keepCourseTopics(deps, { courseId: course.id }, never);
  const kept = (await deps.courseTopics.read(course.id))?.kept;
  expect(kept?.inputHash).toBe(toTopicsInputHash(await sources([first])));
  const [ofPress, ofOven] = [kept?.lectures[0]?.passages[0]?.topic, kept?.lectures[0]?.passages[5]?.topic];
  expect(ofPress).not.toBe(ofOven);
  expect(kept?.topics.find(({ id }) => id === ofPress)?.label).toMatch(/press|type/);

  const second = await makeLecture(course.id, [oven, oven, press, press, press]);
  await keepCourseTopics(deps, { courseId: course.id }, never);
  const after = (await deps.courseTopics.read(course.id))?.kept;
  expect(after?.lectures.map(({ lectureId }) => lectureId)).toEqual([first, second]);
  expect(after?.lectures[1]?.passages.map(({ topic }) => topic)).toEqual([ofOven, ofOven, ofPress, ofPress, ofPress]);
  expect(await t.blobs.list(courseTopicsPrefix(course.id))).toHaveLength(1);
});

test('nothing has changed: what is kept stays as it is', async () => {
  const { course, deps } = await makeCourse();
  await makeLecture(course.id, [press, press, oven, oven]);
  await keepCourseTopics(deps, { courseId: course.id }, never);
  const before = await t.blobs.list(courseTopicsPrefix(course.id));
  await keepCourseTopics(deps, { courseId: course.id }, never);
  expect(await t.blobs.list(courseTopicsPrefix(course.id))).toEqual(before);
});

test('lectures with a damaged index, or of other weights than most, are left out and hide no other', async () => {
  const { course, deps } = await makeCourse();
  const good = await makeLecture(course.id, [press, press, oven, oven]);
  const damaged = await makeLecture(course.id, [press, press]);
  await t.blobs.put(searchIndexKey(damaged, 1), Buffer.from('no index'));
  await makeLecture(course.id, [oven, oven], 'other#1');
  await keepCourseTopics(deps, { courseId: course.id }, never);
  const kept = (await deps.courseTopics.read(course.id))?.kept;
  expect(kept?.lectures.map(({ lectureId }) => lectureId)).toEqual([good]);
  expect(kept?.weights).toBe('model#1');
});

test('a course that was deleted meanwhile: not_found', async () => {
  const { deps } = await makeCourse();
  await expect(keepCourseTopics(deps, { courseId: createId() }, never)).rejects.toMatchObject({ code: 'not_found' });
});
