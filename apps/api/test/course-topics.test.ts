import type { KeptCourseTopics } from '@studymate/contracts/artifacts';
import { createId } from '@studymate/contracts/ids';
import { testRedisUrl } from '@studymate/queue/testing';
import {
  type CourseTopicsStore,
  createCourseTopicsStore,
  toTopicSource,
  toTopicsInputHash,
} from '@studymate/storage/course-topics-store';
import { QueueEvents } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbeddingWorker } from './support/embedding-worker.ts';
import { makeSearchableLecture } from './support/searchable.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
let store: CourseTopicsStore;
let worker: ReturnType<typeof startEmbeddingWorker>;
/** What the worker does when it is asked for topics. */
let work: () => Promise<unknown>;
beforeAll(async () => {
  const redisUrl = testRedisUrl();
  t = await startTestApi({ redisUrl });
  store = createCourseTopicsStore(t);
  worker = startEmbeddingWorker({ redisUrl, prefix: t.config.redis.prefix, answer: () => work() });
});
afterAll(async () => {
  await worker?.close();
  await t?.close();
});

const sentences = [
  'Movable type was cast of metal.',
  'The press gave many copies of one page.',
  'Paper came from mills.',
];

/** A course with lectures that have an index. */
async function makeCourse(count: number): Promise<{ courseId: string; lectureIds: string[] }> {
  const { id: courseId } = await t.client.createCourse('Printing');
  const lectureIds: string[] = [];
  for (let i = 0; i < count; i++) {
    lectureIds.push((await makeSearchableLecture(t, sentences, { courseId, title: `Lecture ${i}` })).id);
  }
  return { courseId, lectureIds };
}

/** What a worker keeps: two topics, the second of each lecture's last ten seconds. */
async function keep(courseId: string, lectureIds: readonly string[]): Promise<void> {
  const records = await Promise.all(lectureIds.map((id) => t.lectures.read(id)));
  const sources = records.flatMap((record) => (record && toTopicSource(record)) ?? []);
  const topic = (id: number, centre: number[]) => ({
    id,
    label: `topic ${id}`,
    terms: [{ term: `word ${id}`, weight: 1 }],
    centre,
    leastCosine: 0,
  });
  const kept: KeptCourseTopics = {
    schemaVersion: 1,
    inputHash: toTopicsInputHash(sources),
    weights: 'model#1',
    fittedPassages: 2 * lectureIds.length,
    nextId: 8,
    topics: [topic(3, [1, 0]), topic(7, [0, 1])],
    lectures: lectureIds.map((lectureId) => ({
      lectureId,
      source: lectureId,
      passages: [
        { start: 0, end: 20, topic: 3 },
        { start: 20, end: 30, topic: 7 },
      ],
    })),
  };
  await store.write(courseId, kept, (await store.read(courseId))?.version ?? 0);
}

const ask = (courseId: string, query = '') => fetch(`${t.url}/api/v1/courses/${courseId}/topics${query}`);

test("topics that are kept of today's lectures: answered without a worker, the longest spoken of first", async () => {
  const { courseId, lectureIds } = await makeCourse(2);
  await keep(courseId, lectureIds);
  work = async () => {
    throw new Error('nobody should ask');
  };
  const answer = await t.client.getCourseTopics(courseId);
  expect(answer).toMatchObject({ missing: 0, lectures: [{ title: 'Lecture 0' }, { title: 'Lecture 1' }] });
  expect(answer.topics.map(({ id, seconds }) => [id, seconds])).toEqual([
    [3, 40],
    [7, 20],
  ]);
  expect(answer.topics[1]?.lectures[0]).toEqual({
    ...{ lectureId: lectureIds[0], seconds: 10, share: 1 / 3 },
    moments: [{ start: 20, end: 30 }],
  });
});

test('topicCount joins the likest topics, under ids that were there', async () => {
  const { courseId, lectureIds } = await makeCourse(1);
  await keep(courseId, lectureIds);
  const { topics } = await t.client.getCourseTopics(courseId, { topicCount: 1 });
  expect(topics).toMatchObject([{ size: 2, seconds: 30 }]);
  expect([3, 7]).toContain(topics[0]?.id);
});

test('a lecture has come: a worker finds the topics anew; one that has left is shown no more', async () => {
  const { courseId, lectureIds } = await makeCourse(1);
  await keep(courseId, lectureIds);
  const added = await makeSearchableLecture(t, sentences, { courseId });
  let asked = 0;
  work = async () => {
    asked++;
    await keep(courseId, [...lectureIds, added.id]);
    return null;
  };
  expect((await t.client.getCourseTopics(courseId)).lectures).toHaveLength(2);
  await t.client.getCourseTopics(courseId);
  expect(asked).toBe(1);
  await t.client.changeLecture(added.id, { courseId: null });
  // As long as no worker has done it again, nothing of it is shown.
  work = async () => null;
  const { lectures, topics } = await t.client.getCourseTopics(courseId);
  expect(lectures.map(({ id }) => id)).toEqual(lectureIds);
  for (const topic of topics) expect(topic.lectures.map(({ lectureId }) => lectureId)).toEqual(lectureIds);
});

test('who asks at the same time waits for the same work, and an error of it is told once', async () => {
  const { courseId, lectureIds } = await makeCourse(1);
  const events = new QueueEvents('quick', { connection: { url: t.config.redis.url }, prefix: t.config.redis.prefix });
  await events.waitUntilReady();
  const joined = new Promise<void>((resolve) => events.on('duplicated', () => resolve()));
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let asked = 0;
  work = async () => {
    asked++;
    if (asked === 1) throw new Error('a fault');
    begin();
    await joined;
    await keep(courseId, lectureIds);
    return null;
  };
  expect((await ask(courseId)).ok).toBe(false);
  const first = t.client.getCourseTopics(courseId);
  await begun;
  const second = t.client.getCourseTopics(courseId);
  expect(await second).toEqual(await first);
  expect(asked).toBe(2);
  await events.close();
});

test('a course without lectures, and one whose lectures have no index: no topics, and no worker is asked', async () => {
  work = async () => {
    throw new Error('nobody should ask');
  };
  const { id } = await t.client.createCourse('Empty');
  expect(await t.client.getCourseTopics(id)).toEqual({ topics: [], lectures: [], missing: 0 });
  await makeSearchableLecture(t, sentences, { courseId: id, isOld: true });
  expect(await t.client.getCourseTopics(id)).toEqual({ topics: [], lectures: [], missing: 1 });
});

test.each(['?topicCount=0', '?topicCount=101', '?topicCount=x'])('%s is refused', async (query) => {
  const { courseId } = await makeCourse(0);
  expect((await ask(courseId, query)).status).toBe(400);
});

test('a course that there is not: 404', async () => {
  expect((await ask(createId())).status).toBe(404);
  expect((await ask('nonsense')).status).toBe(404);
});
