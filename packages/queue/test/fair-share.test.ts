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

  test('takes the first chunk of every lecture before all later chunks, and later ones in turn', async () => {
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

/** Ids are never used twice: the tag of a job is remembered for a while. */
let count = 0;

/** The script with a queue in miniature: jobs are put where BullMQ puts them, and the smallest is taken. */
function openModel(bandSize?: number) {
  const { redis, keys, prefix } = testRedis;
  const shares = createFairShares({ redis, keys, prefix, ...(bandSize && { bandSize }) });
  const prioritized = `${prefix}:ingest:prioritized`;
  return {
    shares,
    async add(owner: string, costSeconds: number): Promise<void> {
      const jobId = `${owner}-${count++}`;
      const job: TaggedJob = { jobId, band: 'later', costSeconds };
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
    readTags: () => redis.hgetall(keys.shares('ingest', 'later')),
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

  test('stay fair when the numbers of a band are used up without a moment in which nothing waits', async () => {
    // 64 numbers, and several hundred are needed.
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
    expect(Math.max(...Object.values(tags).map(Number))).toBeLessThan(64 + 32);
  });

  test('are not touched by adding a job that is there, by whomever', async () => {
    const specs = [ingestOf('one'), ingestOf('two')];
    await testRedis.queues.addStageJobs(lectureOf('ada'), specs);
    const read = () => testRedis.redis.hgetall(testRedis.keys.shares('ingest', 'later'));
    const before = await read();
    for (let i = 0; i < 5; i++) await testRedis.queues.addStageJobs(lectureOf('ada'), specs);
    expect(await read()).toEqual(before);
    expect(before['o:ada']).toBe('40');
  });

  test('are charged once when several processes add one job at the same time', async () => {
    const model = openModel();
    // While somebody waits, what others were charged is not forgotten.
    await model.add('bob', 30);
    const job: TaggedJob = { jobId: 'one', band: 'later', costSeconds: 300 };
    const tags = await Promise.all(Array.from({ length: 10 }, () => model.shares.tag('ingest', 'ada', [job])));
    expect(tags).toEqual(Array(10).fill(tags[0]));
    const [next] = await model.shares.tag('ingest', 'ada', [{ ...job, jobId: 'two' }]);
    expect(next).toBe((tags[0]?.[0] ?? 0) + 10);
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
