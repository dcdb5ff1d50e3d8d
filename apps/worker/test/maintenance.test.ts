import { EventEmitter, once } from 'node:events';
import { createLogger } from '@studymate/observability/logger';
import { createMetrics } from '@studymate/observability/metrics';
import { noTracer } from '@studymate/observability/tracer';
import { collectOrphans } from '@studymate/storage/collect-orphans';
import { clipKey } from '@studymate/storage/lecture-keys';
import { Worker } from 'bullmq';
import { expect, test } from 'vitest';
import { createJobHandlers, type JobHandlerDeps } from '../src/job-handlers.ts';
import { createMaintenance } from '../src/maintenance.ts';
import { openTestRunners } from './support/test-runner.ts';

test('the recurring jobs: are there after the start, and a worker that takes them collects what was left behind', async () => {
  const runners = await openTestRunners();
  const metrics = createMetrics({ app: 'worker' });
  const queue = runners.queues.all().get('maintenance');
  if (!queue) throw new Error('there is no queue for maintenance');
  const maintenance = createMaintenance({
    queue,
    onError(error) {
      throw error;
    },
  });
  let worker: Worker | undefined;
  try {
    const orphan = clipKey('left-by-a-dead-process');
    await runners.blobs.put(orphan, new Uint8Array(1));
    const runner = runners.createRunner({});
    const happened = new EventEmitter();
    const collected = once(happened, 'collected');
    const handlers = createJobHandlers({
      runner,
      reconciler: runners.createReconciler(runner),
      async collect() {
        const { removed } = await collectOrphans({ blobs: runners.blobs }, { nowMs: Date.now() + 25 * 3_600_000 });
        happened.emit('collected', removed);
      },
      logger: createLogger({ name: 'test', level: 'silent' }),
      metrics,
      tracer: noTracer,
      stopping: new AbortController().signal,
      // Jobs of other queues are none of this test's.
    } as unknown as JobHandlerDeps);
    await maintenance.start();
    const schedulers = await queue.getJobSchedulers();
    expect(schedulers.map(({ key }) => key).sort()).toEqual(['collect', 'reconcile', 'reindex']);
    worker = new Worker('maintenance', handlers.maintenance, { connection: runners.redis, prefix: runners.prefix });
    expect(await collected).toEqual([[orphan]]);
    expect(await runners.blobs.stat(orphan)).toBeNull();
  } finally {
    maintenance.stop();
    await worker?.close();
    metrics.close();
    await runners.close();
  }
});

test('the recurring jobs: planned by a clock that is set back an hour, are planned anew', async () => {
  const runners = await openTestRunners();
  const queue = runners.queues.all().get('maintenance');
  if (!queue) throw new Error('there is no queue for maintenance');
  const maintenance = createMaintenance({
    queue,
    onError(error) {
      throw error;
    },
  });
  const start = async () => {
    await maintenance.start();
    maintenance.stop();
    return (await queue.getJobScheduler('reconcile'))?.next ?? 0;
  };
  const now = Date.now;
  try {
    Date.now = () => now() + 3_600_000;
    expect(await start()).toBeGreaterThan(now() + 3_000_000);
    Date.now = now;
    expect(await start()).toBeLessThan(now() + 60_000);
    expect(await queue.getDelayedCount()).toBeLessThanOrEqual(3);
  } finally {
    Date.now = now;
    await runners.close();
  }
});
