import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { Worker } from 'bullmq';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createFairShares, type TaggedJob } from '../src/fair-share.ts';
import type { JobSpec } from '../src/next-jobs.ts';
import { lectureRecord } from './lecture-fixtures.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
beforeAll(() => {
  testRedis = openTestRedis();
});
afterAll(() => testRedis.close());
afterEach(async () => {
  const left = await testRedis.redis.keys(`${testRedis.prefix}:*`);
  if (left.length > 0) await testRedis.redis.del(...left);
});

const lectureOf = (owner: string, changes: Partial<LectureRecord> = {}) => lectureRecord({ owner, ...changes });
const ingestOf = (lectureId: string): JobSpec => ({ lectureId, stage: 'ingest', part: 0, attempt: 1 });
const chunkOf = (lectureId: string, part: number): JobSpec => ({ lectureId, stage: 'transcribe', part, attempt: 1 });

/** Lectures in the order in which a worker takes their jobs, until the queue is empty. */
async function takeAll(queue: 'ingest' | 'transcribe', count: number): Promise<string[]> {
  const taken: string[] = [];
  const connection = testRedis.connect();
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker(
      queue,
      async (job) => {
        taken.push(job.data.lectureId);
      },
      { connection, prefix: testRedis.prefix, concurrency: 1 },
    );
    worker.on('error', reject);
    worker.on('completed', () => {
      if (taken.length === count) worker.close().then(resolve, reject);
    });
  });
  return taken;
}

describe('a real queue', () => {
  test("lets another owner's first lecture begin next, although a hundred of somebody else's wait", async () => {
    for (let i = 0; i < 100; i++) await testRedis.queues.addStageJobs(lectureOf('ada'), [ingestOf(`ada${i}`)]);
    await testRedis.queues.addStageJobs(lectureOf('bob'), [ingestOf('bob')]);
    const taken = await takeAll('ingest', 101);
    expect(taken.indexOf('bob')).toBeLessThanOrEqual(1);
    // Among one owner's lectures it is first come, first served.
    expect(taken.filter((id) => id !== 'bob')).toEqual(Array.from({ length: 100 }, (_, i) => `ada${i}`));
  });

  test('takes the first chunk of a new lecture before all later chunks, and later ones in turn', async () => {
    const parts = Array.from({ length: 6 }, (_, part) => part);
    await testRedis.queues.addStageJobs(
      lectureOf('ada'),
      parts.map((part) => chunkOf('ada', part)),
    );
    await testRedis.queues.addStageJobs(
      lectureOf('bob'),
      parts.map((part) => chunkOf('bob', part)),
    );
    const taken = await takeAll('transcribe', 12);
    expect(new Set(taken.slice(0, 2))).toEqual(new Set(['ada', 'bob']));
    // Of any two in a row after that, one is each owner's.
    for (let i = 2; i < 12; i += 2) expect(new Set(taken.slice(i, i + 2))).toEqual(new Set(['ada', 'bob']));
  });

  test("takes a new lecture's first chunk next, however much its owner has queued", async () => {
    const parts = Array.from({ length: 30 }, (_, part) => part);
    for (const owner of ['ada', 'bob']) {
      await testRedis.queues.addStageJobs(
        lectureOf(owner),
        parts.map((part) => chunkOf(`${owner}0`, part)),
      );
    }
    await testRedis.queues.addStageJobs(lectureOf('ada'), [chunkOf('ada1', 0)]);
    const taken = await takeAll('transcribe', 61);
    // Before it: the two first chunks, and what waits with the smallest tag.
    expect(taken.indexOf('ada1')).toBeLessThanOrEqual(6);
  });

  test("does not starve another owner's later chunks while somebody adds new lecture after new lecture", async () => {
    const parts = Array.from({ length: 200 }, (_, part) => part);
    await testRedis.queues.addStageJobs(
      lectureOf('bob'),
      parts.map((part) => chunkOf('bob', part)),
    );
    let lectures = 0;
    const addLecture = () => testRedis.queues.addStageJobs(lectureOf('ada'), [chunkOf(`ada${lectures++}`, 0)]);
    for (let i = 0; i < 20; i++) await addLecture();
    const taken: string[] = [];
    const connection = testRedis.connect();
    await new Promise<void>((resolve, reject) => {
      const worker = new Worker(
        'transcribe',
        async (job) => {
          taken.push(job.data.lectureId);
          // One more for each that is done: her first chunks never run out.
          if (job.data.lectureId !== 'bob') await addLecture();
        },
        { connection, prefix: testRedis.prefix, concurrency: 1 },
      );
      worker.on('error', reject);
      worker.on('completed', () => {
        if (taken.length === 100) worker.close().then(resolve, reject);
      });
    });
    const ofBob = taken.slice(0, 100).filter((id) => id === 'bob').length;
    // In turn, and a later chunk is four times as long.
    expect(ofBob).toBeGreaterThanOrEqual(45);
    expect(ofBob).toBeLessThanOrEqual(60);
  });

  test('charges by the sound: who queues long lectures gets as many seconds, not as many lectures', async () => {
    for (let i = 0; i < 4; i++) {
      await testRedis.queues.addStageJobs(lectureOf('long', { durationSeconds: 3600 }), [ingestOf(`long${i}`)]);
    }
    for (let i = 0; i < 16; i++) {
      await testRedis.queues.addStageJobs(lectureOf('short', { durationSeconds: 900 }), [ingestOf(`short${i}`)]);
    }
    const taken = await takeAll('ingest', 20);
    // Until the half of all sound is done, each owner has had two hours, within one lecture of each.
    const longs = taken.slice(0, 10).filter((id) => id.startsWith('long')).length;
    expect(longs).toBe(2);
  });

  test('gives back the share of lectures that were taken out again', async () => {
    const removed = Array.from({ length: 50 }, (_, i) => ingestOf(`gone${i}`));
    // Somebody has to wait all the time: a queue without waiting jobs forgets all shares anyway.
    await testRedis.queues.addStageJobs(lectureOf('carl'), [ingestOf('carl0'), ingestOf('carl1')]);
    await testRedis.queues.addStageJobs(lectureOf('ada'), removed);
    expect(await testRedis.queues.removeStageJobs(lectureOf('ada'), removed)).toBe(50);
    await testRedis.queues.addStageJobs(lectureOf('bob'), [ingestOf('bob0'), ingestOf('bob1')]);
    await testRedis.queues.addStageJobs(lectureOf('ada'), [ingestOf('ada0'), ingestOf('ada1')]);
    const taken = await takeAll('ingest', 6);
    expect(taken.slice(0, 3).sort()).toEqual(['ada0', 'bob0', 'carl0']);
  });

  test('keeps a job that is being worked on when its lecture is taken out', async () => {
    const connection = testRedis.connect();
    const worker = new Worker('ingest', null, { connection, prefix: testRedis.prefix });
    await testRedis.queues.addStageJobs(lectureOf('ada'), [ingestOf('running'), ingestOf('waiting')]);
    const job = await worker.getNextJob('token');
    expect(job?.data.lectureId).toBe('running');
    const both = [ingestOf('running'), ingestOf('waiting')];
    expect(await testRedis.queues.removeStageJobs(lectureOf('ada'), both)).toBe(1);
    await job?.moveToCompleted('done', 'token', false);
    await worker.close();
  });
});

/** Finish tags by owner, and the virtual time. */
async function readTags(queue: string): Promise<Record<string, number>> {
  const flat = await testRedis.redis.zrange(testRedis.keys.shares(queue), '0', '-1', 'WITHSCORES');
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, Number(flat[i + 1])]] : [])));
}

/** Ids are never used twice: the tag of a job is remembered for a while. */
let count = 0;

/** The script with a queue in miniature: jobs are put where BullMQ puts them, and the smallest is taken. */
function openModel(tagCount?: number) {
  const { redis, keys, prefix } = testRedis;
  const shares = createFairShares({ redis, keys, prefix, ...(tagCount && { tagCount }) });
  const prioritized = `${prefix}:ingest:prioritized`;
  return {
    shares,
    async add(owner: string, costSeconds: number, comesFirst = false): Promise<void> {
      const jobId = `${owner}-${count++}`;
      const job: TaggedJob = { jobId, comesFirst, costSeconds };
      const [priority] = await shares.tag('ingest', owner, [job]);
      if (priority === null || priority === undefined) throw new Error('the job is new');
      expect(priority).toBeLessThan(2 ** 21);
      await redis
        .multi()
        .hset(`${prefix}:ingest:${jobId}`, 'priority', priority, 'cost', costSeconds)
        .zadd(prioritized, priority * 2 ** 32 + count, jobId)
        .exec();
    },
    async take(): Promise<{ owner: string; costSeconds: number }> {
      const [jobId = ''] = await redis.zpopmin(prioritized);
      const costSeconds = Number(await redis.hget(`${prefix}:ingest:${jobId}`, 'cost'));
      await redis.del(`${prefix}:ingest:${jobId}`);
      return { owner: jobId.slice(0, jobId.indexOf('-')), costSeconds };
    },
    readTags: () => readTags('ingest'),
  };
}

describe('fair shares', () => {
  test('of owners who always have something waiting differ by no more than one job of each', async () => {
    const costs = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(costs, costs, costs, async (...owners) => {
        await testRedis.redis.del(`${testRedis.prefix}:ingest:prioritized`);
        const model = openModel();
        const names = ['ada', 'bob', 'carl'];
        const waiting = owners.map((list) => list.length);
        const given = owners.map(() => 0);
        for (const [i, list] of owners.entries()) {
          for (const units of list) await model.add(names[i] ?? '', units * 30);
        }
        while (waiting.every((left) => left > 1)) {
          const { owner, costSeconds } = await model.take();
          const i = names.indexOf(owner);
          waiting[i] = (waiting[i] ?? 0) - 1;
          given[i] = (given[i] ?? 0) + costSeconds / 30;
          expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(2 * 40);
        }
        while (waiting.some((left) => left > 0)) {
          const i = names.indexOf((await model.take()).owner);
          waiting[i] = (waiting[i] ?? 0) - 1;
        }
      }),
      { numRuns: 15 },
    );
  });

  test('of one who always has work are at least 1 of 1 + 5/4 for each other owner, whatever those queue and when', async () => {
    const jobsOfOthers = fc.array(
      fc.record({
        owner: fc.constantFrom('ada', 'carl'),
        comesFirst: fc.boolean(),
        count: fc.integer({ min: 0, max: 4 }),
      }),
      { minLength: 60, maxLength: 60 },
    );
    const unitsOf = (comesFirst: boolean) => (comesFirst ? 1 : 4);
    await fc.assert(
      fc.asyncProperty(jobsOfOthers, async (rounds) => {
        await testRedis.redis.del(`${testRedis.prefix}:ingest:prioritized`);
        const model = openModel();
        /** Units that each has been given, after each job. */
        const given = [{ bob: 0, all: 0 }];
        for (let i = 0; i < 3; i++) await model.add('bob', 120);
        for (const { owner, comesFirst, count } of rounds) {
          for (let i = 0; i < count; i++) await model.add(owner, unitsOf(comesFirst) * 30, comesFirst);
          for (let i = 0; i < 2; i++) {
            const { owner: next, costSeconds } = await model.take();
            const { bob, all } = given.at(-1) ?? { bob: 0, all: 0 };
            const units = costSeconds / 30;
            given.push({ bob: bob + (next === 'bob' ? units : 0), all: all + units });
            if (next === 'bob') await model.add('bob', 120);
          }
        }
        for (let from = 0; from < given.length; from++) {
          for (let to = from; to < given.length; to++) {
            const all = (given[to]?.all ?? 0) - (given[from]?.all ?? 0);
            const bob = (given[to]?.bob ?? 0) - (given[from]?.bob ?? 0);
            expect(bob).toBeGreaterThanOrEqual(all / (1 + 2 * 1.25) - 4 * 4);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  test('stay fair when the tags are used up without a moment in which nothing waits', async () => {
    // 64 tags, and several hundred are needed.
    const model = openModel(64);
    const given: Record<string, number> = { ada: 0, bob: 0 };
    for (let i = 0; i < 8; i++) await model.add('ada', 60);
    for (let round = 0; round < 300; round++) {
      // One has a long queue all the time, the other brings one job at a time.
      await model.add('ada', 60);
      await model.add('bob', 60);
      const pair = [await model.take(), await model.take()];
      for (const { owner } of pair) given[owner] = (given[owner] ?? 0) + 1;
    }
    expect(given.ada).toBeGreaterThan(290);
    expect(given.bob).toBeGreaterThan(290);
    const tags = await model.readTags();
    expect(Math.max(...Object.values(tags))).toBeLessThan(64 + 32);
  });

  test('are not touched by adding a job that is there, by whomever', async () => {
    const specs = [ingestOf('one'), ingestOf('two')];
    await testRedis.queues.addStageJobs(lectureOf('ada'), specs);
    const read = () => readTags('ingest');
    const before = await read();
    for (let i = 0; i < 5; i++) await testRedis.queues.addStageJobs(lectureOf('ada'), specs);
    expect(await read()).toEqual(before);
    expect(before['o:ada']).toBe(40);
  });

  test('are charged once when several processes add one job at the same time', async () => {
    const model = openModel();
    // While somebody waits, what others were charged is not forgotten.
    await model.add('bob', 30);
    const job: TaggedJob = { jobId: 'one', comesFirst: false, costSeconds: 300 };
    const tags = await Promise.all(Array.from({ length: 10 }, () => model.shares.tag('ingest', 'ada', [job])));
    expect(tags).toEqual(Array(10).fill(tags[0]));
    const [next] = await model.shares.tag('ingest', 'ada', [{ ...job, jobId: 'two' }]);
    // Two priorities for each tag.
    expect(next).toBe((tags[0]?.[0] ?? 0) + 2 * 10);
  });

  test('begin anew when nothing waits', async () => {
    const model = openModel();
    for (let i = 0; i < 10; i++) await model.add('ada', 3_000);
    for (let i = 0; i < 10; i++) await model.take();
    await model.add('ada', 30);
    await model.add('bob', 30);
    expect((await model.take()).owner).toBe('ada');
    expect((await model.take()).owner).toBe('bob');
  });

  test('outlive a moment in which all that waits has been put off', async () => {
    const { redis, prefix } = testRedis;
    const model = openModel();
    for (let i = 0; i < 20; i++) await model.add('ada', 300);
    for (let i = 0; i < 10; i++) await model.take();
    await model.add('ada', 300);
    // What is left is put off, as by a model that cannot be loaded; then it waits again.
    const waiting = await redis.zrange(`${prefix}:ingest:prioritized`, '0', '-1', 'WITHSCORES');
    await redis.rename(`${prefix}:ingest:prioritized`, `${prefix}:ingest:delayed`);
    for (let i = 0; i < 11; i++) await model.add('bob', 300);
    await redis.del(`${prefix}:ingest:delayed`);
    for (let i = 0; i < waiting.length; i += 2) {
      await redis.zadd(`${prefix}:ingest:prioritized`, waiting[i + 1] ?? '', waiting[i] ?? '');
    }
    const given: Record<string, number> = { ada: 0, bob: 0 };
    for (let i = 0; i < 10; i++) {
      const { owner } = await model.take();
      given[owner] = (given[owner] ?? 0) + 1;
    }
    expect(given).toEqual({ ada: 5, bob: 5 });
  });
});
