import { createLogger } from '@studymate/observability/logger';
import { createMetrics } from '@studymate/observability/metrics';
import { noTracer } from '@studymate/observability/tracer';
import { createFailedJobs } from '@studymate/queue/failed';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import { createRedis } from '@studymate/queue/redis';
import { Worker } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createJobHandlers, type JobHandlerDeps } from '../src/job-handlers.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeEach(async () => {
  runners = await openTestRunners();
});
afterEach(() => runners.close());

const metrics = createMetrics({ app: 'test' });
const logger = createLogger({ name: 'test', level: 'silent' });

type Run = (job: StageJobData) => Promise<void>;

/**
 * BullMQ's real workers, one after another: each dies as a killed process does, its connections gone and its jobs left
 * locked, whenever a job of the poisoned stage has begun. @returns how often one died
 */
async function workUntilNothingIsLeft(poisoned: string, onRun: (stage: string) => void): Promise<number> {
  const { prefix } = runners;
  const queue = runners.queues.all().get('study');
  if (!queue) throw new Error('there is no such queue');
  let deaths = 0;
  for (;;) {
    const connection = createRedis({ url: runners.redisUrl, kind: 'consumer', onError: () => {} });
    const outcome = await new Promise<'died' | 'idle'>((resolve) => {
      const run: Run = async (job) => {
        onRun(job.stage);
        if (job.stage !== poisoned) {
          // Long enough for the poisoned one to begin beside it.
          await new Promise((done) => setTimeout(done, 400));
          return;
        }
        await new Promise((done) => setTimeout(done, 100));
        resolve('died');
        await new Promise(() => {});
      };
      const worker = new Worker('study', handlersWith(run).study, {
        connection,
        prefix,
        concurrency: 4,
        lockDuration: 2_000,
        stalledInterval: 500,
        maxStalledCount: 3,
        drainDelay: 1,
      });
      worker.on('error', () => {});
      const look = async () => {
        const left = await queue.getJobCountByTypes('waiting', 'prioritized', 'delayed', 'active');
        if (left === 0) resolve('idle');
      };
      for (const event of ['completed', 'failed'] as const) worker.on(event, look);
      closeWorker = () => worker.close(true);
    });
    await closeWorker();
    connection.disconnect();
    if (outcome === 'idle') return deaths;
    deaths++;
  }
}

let closeWorker: () => Promise<void> = async () => {};

/** The worker's own handlers, with a stage runner of the test. */
function handlersWith(run: Run) {
  return createJobHandlers({
    runner: { run } as unknown as JobHandlerDeps['runner'],
    logger,
    metrics,
    tracer: noTracer,
    stopping: new AbortController().signal,
  } as JobHandlerDeps);
}

test('a job that kills its worker each time ends in the list of failed jobs, and takes no other job with it', async () => {
  const record = await runners.makeLecture();
  const job = (stage: 'chapters' | 'topics' | 'summary' | 'flashcards') =>
    ({ lectureId: record.id, stage, part: 0, attempt: 1 }) as const;
  const stages = ['chapters', 'topics', 'summary', 'flashcards'] as const;
  await runners.queues.addStageJobs(record, stages.map(job));
  const begun: string[] = [];
  const deaths = await workUntilNothingIsLeft('topics', (stage) => begun.push(stage));

  expect(deaths).toBeGreaterThan(1);
  const states = await Promise.all(
    stages.map(async (stage) => (await runners.queues.findStageJob(job(stage)))?.getState()),
  );
  expect(states).toEqual(['completed', 'failed', 'completed', 'completed']);
  expect(begun.filter((stage) => stage === 'topics')).toHaveLength(deaths);

  // The rest of the way: the lecture's record says so, and with it the list.
  const ref = { key: 'k', schemaVersion: 1, algorithm: 'test@1', attempt: 1, startedAt: record.createdAt };
  const done = { ...ref, seconds: 1, cold: null };
  await runners.lectures.update(record.id, (current) => ({
    ...current,
    artifacts: { ingest: done, transcribe: done, assemble: done, chapters: done, summary: done, flashcards: done },
  }));
  await runners.createReconciler(runners.createRunner({})).reconcile();
  const { lectures, redis, keys } = runners;
  const failed = createFailedJobs({ lectures, redis, keys, submit: async () => {} });
  expect((await failed.list()).jobs).toMatchObject([
    { lectureId: record.id, stage: 'topics', part: 0, code: 'worker_crashed', tries: expect.any(Number) },
  ]);
});
