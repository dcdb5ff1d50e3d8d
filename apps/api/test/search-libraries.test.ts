import { createId } from '@studymate/contracts/ids';
import { createLogger } from '@studymate/observability/logger';
import { testRedisUrl } from '@studymate/queue/testing';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import { createCourseStore } from '@studymate/storage/course-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { createTranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { createDictionary } from '@studymate/study/search/dictionary';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCourseReader } from '../src/courses/course-reader.ts';
import { createLibraries, type Libraries } from '../src/search/libraries.ts';
import { loadLecture } from '../src/search/load-lecture.ts';
import { createReadableLectures } from '../src/search/readable-lectures.ts';
import { makeSearchableLecture } from './support/searchable.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
let annas: string[];
let bens: string[];
/** Of what anna's lectures take, four fifths: there is no room for all. */
let maxBytes: number;
const opened: Libraries[] = [];

const text = ['An okapi eats leaves.'];
const makeMany = async (owner: string, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await makeSearchableLecture(t, text, { owner })).id);
  return ids.sort().reverse();
};

beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
  annas = await makeMany('anna', 20);
  bens = await makeMany('ben', 12);
  const all = open(Number.POSITIVE_INFINITY);
  await all.libraries.open('anna');
  maxBytes = all.libraries.bytes * 0.8;
});
afterAll(() => t?.close());
afterEach(() => {
  vi.useRealTimers();
  for (const each of opened.splice(0)) each.close();
});

/** Over the real store, whose records can be kept back. */
function open(limit: number) {
  const reads: string[] = [];
  let gate: Promise<void> | undefined;
  let openGate = () => {};
  let isKeptBack = (_id: string) => false;
  const lectures: LectureStore = {
    ...t.lectures,
    async read(id) {
      reads.push(id);
      if (isKeptBack(id)) await gate;
      return t.lectures.read(id);
    },
  };
  let transcripts = 0;
  let mostTranscripts = 0;
  const artifacts: ArtifactReader = {
    ...t.artifacts,
    async readArtifact(key, schema) {
      mostTranscripts = Math.max(mostTranscripts, ++transcripts);
      return t.artifacts.readArtifact(key, schema).finally(() => transcripts--);
    },
  };
  const courses = createCourseStore(t);
  const readable = createReadableLectures({ lectures, courses, courseReader: createCourseReader({ courses }) });
  let wake: (lectureId: string | null) => void = () => {};
  const libraries = createLibraries({
    events: {
      onAnyWake(listener) {
        wake = listener;
        return () => {};
      },
    },
    lectures,
    artifacts,
    edits: createTranscriptEditStore(t),
    readable,
    maxBytes: limit,
    logger: createLogger({ name: 'test', level: 'error' }),
  });
  opened.push(libraries);
  return {
    libraries,
    reads,
    mostTranscripts: () => mostTranscripts,
    wake: (lectureId: string | null) => wake(lectureId),
    keepBack(which: (id: string) => boolean): () => void {
      gate = new Promise((resolve) => {
        openGate = resolve;
      });
      isKeptBack = which;
      return openGate;
    },
  };
}

const move = (id: string, courseId: string) => t.lectures.update(id, (record) => ({ ...record, courseId }));

describe('libraries', () => {
  test('one that is too large for the memory: leaves room for a small one, and keeps up with what changes', async () => {
    const carl = await makeMany('carl', 1);
    const { libraries } = open(maxBytes);
    const anna = await libraries.open('anna');
    expect(anna.missing()).toBeGreaterThan(0);
    expect(anna.lectures.size).toBeGreaterThan(0);
    const small = (await libraries.open('carl')).lectures.get(carl[0] as string);
    expect(small).toBeDefined();
    expect((await libraries.open('anna')).lectures).toBe(anna.lectures);
    expect((await libraries.open('carl')).lectures.get(carl[0] as string)).toBe(small);
    expect(libraries.bytes).toBeLessThanOrEqual(maxBytes);
    const [loaded] = anna.lectures.keys();
    const courseId = createId();
    await move(loaded as string, courseId);
    libraries.forget(loaded as string);
    expect((await libraries.open('anna')).lectures.get(loaded as string)?.courseId).toBe(courseId);
  });

  test('one that is forgotten while it is being loaded: goes on no further', async () => {
    const { libraries, reads, keepBack } = open(maxBytes);
    const own = new Set(annas);
    const letGo = keepBack((id) => annas.indexOf(id) >= 4);
    const anna = libraries.open('anna');
    await until(async () => reads.filter((id) => own.has(id)).length === 8, 'the second four');
    expect((await libraries.open('ben')).lectures.size).toBe(bens.length);
    letGo();
    await anna;
    expect(reads.filter((id) => own.has(id))).toHaveLength(8);
    expect(libraries.bytes).toBeLessThanOrEqual(maxBytes);
  });

  test('after events may have been lost: searches at once, and looks at the lectures meanwhile', async () => {
    const { libraries, reads, wake, keepBack } = open(Number.POSITIVE_INFINITY);
    await libraries.open('ben');
    const courseId = createId();
    const moved = bens.at(-1) as string;
    await move(moved, courseId);
    reads.length = 0;
    const letGo = keepBack(() => true);
    // The patience of a search never ends now.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    wake(null);
    expect((await libraries.open('ben')).lectures.size).toBe(bens.length);
    expect(reads.length).toBeLessThanOrEqual(1);
    vi.useRealTimers();
    letGo();
    const courseOf = async () => (await libraries.open('ben')).lectures.get(moved)?.courseId;
    await until(async () => (await courseOf()) === courseId, 'the lecture in its course');
  });

  test('lectures without an index: their transcripts are read one after the other, passage by passage', async () => {
    for (let i = 0; i < 6; i++) await makeSearchableLecture(t, text, { owner: 'eve', isOld: true });
    const { libraries, mostTranscripts } = open(Number.POSITIVE_INFINITY);
    expect((await libraries.open('eve')).lectures.size).toBe(6);
    expect(mostTranscripts()).toBe(1);
    const long = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} is about okapis and nothing else.`);
    const record = await makeSearchableLecture(t, long, { owner: 'eve', isOld: true });
    let breaths = 0;
    const breathe = () => {
      breaths++;
      return undefined;
    };
    const logger = createLogger({ name: 'test', level: 'error' });
    const deps = {
      ...t,
      logger,
      edits: createTranscriptEditStore(t),
      oneAtATime: <T>(work: () => Promise<T>) => work(),
    };
    const [part] = (await loadLecture(deps, record, createDictionary(), undefined, breathe)).parts;
    expect(part?.passages?.length).toBeGreaterThan(5);
    expect(breaths).toBeGreaterThanOrEqual(long.length + (part?.passages?.length ?? 0));
  });

  test('of the courses only those are read that others share', async () => {
    const courses = createCourseStore(t);
    const at = new Date(0).toISOString();
    const course = { schemaVersion: 1 as const, version: 1, title: 'Zoology', createdAt: at };
    const [own, shared] = [createId(), createId()];
    await courses.create({ ...course, id: own, owner: 'dora' });
    await courses.create({ ...course, id: shared, owner: 'ben' });
    await courses.addMember(shared, 'dora');
    const read: string[] = [];
    const readable = createReadableLectures({
      lectures: t.lectures,
      courses: {
        ...courses,
        read(id) {
          read.push(id);
          return courses.read(id);
        },
      },
      courseReader: createCourseReader({ courses }),
    });
    expect(await readable.list('dora')).toEqual({ ownIds: [], foreignIds: bens, courseIds: [shared] });
    expect(read).toEqual([shared]);
  });
});
