import { statfs } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import type { Metrics } from '@studymate/observability/metrics';
import { readOldestWaiting } from '@studymate/queue/oldest-waiting';
import { withRedis } from '@studymate/queue/redis';
import type { Queue } from 'bullmq';
import express from 'express';
import { probeQueue } from './breakers/breakers.ts';
import { toPart } from './health.ts';
import type { Services } from './services.ts';

const states = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;

/**
 * Asks for every queue's depth and oldest job, the models' states, the room on the disk, and whether queue and store can be
 * used at all, whenever the metrics are read.
 * @param options.dataDir null: the store is no folder
 */
export function collectOnScrape(
  { redis, keys, queues, fleet, blobs }: Services,
  { metrics, dataDir }: { metrics: Metrics; dataDir: string | null },
): void {
  metrics.onScrape(async () => {
    await Promise.all(
      [...queues.all()].map(async ([name, queue]) => {
        const counts = await withRedis(() => queue.getJobCounts(...states));
        for (const state of states) metrics.setQueueDepth(name, state, counts[state] ?? 0);
        const oldestMs = await withRedis(() => readOldestWaiting(redis, queue));
        metrics.setOldestWaiting(name, oldestMs === null ? 0 : Math.max(0, Date.now() - oldestMs) / 1000);
      }),
    );
  });
  metrics.onScrape(async () => {
    const [queue, store] = await Promise.all([
      toPart(() => withRedis(() => probeQueue({ redis, keys }))),
      toPart(() => blobs.check()),
    ]);
    metrics.setDependencyUp('queue', queue.ready);
    metrics.setDependencyUp('store', store.ready);
  });
  metrics.onScrape(async () => {
    if (dataDir === null) return;
    const { bavail, blocks, bsize } = await statfs(dataDir);
    metrics.setStoreSpace({ freeBytes: bavail * bsize, sizeBytes: blocks * bsize });
  });
  metrics.onScrape(async () => {
    for (const { family, state } of await withRedis(() => fleet.read())) metrics.setModelState(family, state);
  });
}

const dashboardPath = '/queues';

/** What the internal listener has besides metrics and health: the queue dashboard, loaded when first asked for. */
export function createInternalHandler({ queues }: Services): RequestListener {
  let dashboard: Promise<RequestListener> | undefined;
  return (req, res) => {
    const isDashboard = req.url === dashboardPath || req.url?.startsWith(`${dashboardPath}/`);
    if (!isDashboard) {
      res.writeHead(404, { 'content-type': 'application/json' });
      res.end('{"error":{"code":"not_found","message":"There is no such path here."}}');
      return;
    }
    dashboard ??= createDashboard([...queues.all().values()]);
    dashboard
      .then((handle) => handle(req, res))
      .catch(() => {
        // Tried anew by the next request.
        dashboard = undefined;
        res.writeHead(500).end();
      });
  };
}

/** Read-only: what is to be done again is decided by the lecture's record, never by moving jobs by hand. */
async function createDashboard(queues: Queue[]): Promise<RequestListener> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(dashboardPath);
  createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })), serverAdapter });
  const app = express();
  app.disable('x-powered-by');
  app.use(dashboardPath, serverAdapter.getRouter());
  return app;
}
