import { createRedis } from '@studymate/queue/redis';
import { spawnRedis, testRedisUrl } from '@studymate/queue/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCourseLectures } from '../src/courses/course-lectures.ts';
import { makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
let courseId: string;
beforeEach(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
  courseId = (await t.client.createCourse('Printing')).id;
});
afterEach(() => t.close());

const make = async (course: string | null) => (await makeLecture(t, { courseId: course })).id;
const move = (id: string, course: string | null) =>
  t.lectures.update(id, (record) => ({ ...record, courseId: course }));
const newestFirst = (...ids: string[]) => ids.sort().reverse();

/** As one copy of the API has it, with how many records it has read so far. */
function openCopy(changes: { redis?: TestApi['redis']; now?: () => number } = {}) {
  let reads = 0;
  const read: TestApi['lectures']['read'] = (id) => {
    reads++;
    return t.lectures.read(id);
  };
  const lectures = createCourseLectures({
    ...{ redis: t.redis, keys: t.keys, ...changes },
    lectures: { listIds: t.lectures.listIds, read },
  });
  return { list: () => lectures.listIds('local', courseId), noteMove: lectures.noteMove, reads: () => reads };
}

test("the lectures of a course: their owner's are read once, after that only new ones", async () => {
  const [first, , second] = [await make(courseId), await make(null), await make(courseId)];
  const copy = openCopy();
  expect(await Promise.all([copy.list(), copy.list()])).toEqual([
    newestFirst(first, second),
    newestFirst(first, second),
  ]);
  expect(copy.reads()).toBe(3);
  const third = await make(courseId);
  expect(await copy.list()).toEqual(newestFirst(first, second, third));
  expect(copy.reads()).toBe(4);
  await t.lectures.delete(first);
  expect(await copy.list()).toEqual(newestFirst(second, third));
  expect(copy.reads()).toBe(4);
});

test('a lecture that another copy has put into the course: is there at once, also when Redis has lost what told of it', async () => {
  const [outside, inside] = [await make(null), await make(courseId)];
  const [here, there] = [openCopy(), openCopy()];
  expect([await here.list(), await there.list()]).toEqual([[inside], [inside]]);
  await move(outside, courseId);
  await there.noteMove('local');
  expect(await here.list()).toEqual(newestFirst(outside, inside));

  const late = await make(null);
  await here.list();
  await move(late, courseId);
  await t.redis.del(t.keys.courseMoves('local'));
  expect(await here.list()).toEqual(newestFirst(outside, inside, late));
});

test('a move that nobody was told of: is seen ten minutes later; while Redis is away, at once', async () => {
  const own = await spawnRedis();
  const redis = createRedis({ url: own.url, kind: 'producer', onError: () => {} });
  try {
    await until(async () => redis.status === 'ready', 'Redis');
    const outside = await make(null);
    let nowMs = 0;
    const copy = openCopy({ redis, now: () => nowMs });
    expect(await copy.list()).toEqual([]);
    await move(outside, courseId);
    expect(await copy.list()).toEqual([]);
    nowMs = 600_001;
    expect(await copy.list()).toEqual([outside]);
    const other = await make(null);
    await copy.list();
    await move(other, courseId);
    await own.kill();
    await until(async () => redis.status !== 'ready', 'Redis to be away');
    expect(await copy.list()).toEqual(newestFirst(outside, other));
  } finally {
    redis.disconnect();
    await own.stop();
  }
});

test('through the API: a lecture that is moved is in the list of its new course and no more in that of the old', async () => {
  const { id: other } = await t.client.createCourse('Paper');
  const [moved, stays] = [await make(courseId), await make(courseId)];
  const list = async (course: string) =>
    (await t.client.listLectures({ courseId: course })).lectures.map(({ id }) => id);
  expect([await list(courseId), await list(other)]).toEqual([newestFirst(moved, stays), []]);
  await t.client.changeLecture(moved, { courseId: other });
  expect([await list(courseId), await list(other)]).toEqual([[stays], [moved]]);
  const page = await t.client.listLectures({ courseId, limit: 1 });
  expect(page.lectures.map(({ id }) => id)).toEqual([stays]);
});
