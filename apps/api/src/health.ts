import type { Readiness } from '@studymate/observability/internal-server';
import { withRedis } from '@studymate/queue/redis';
import type { Router } from 'express';
import { addRoute } from './http/add-route.ts';
import type { Services } from './services.ts';

const checkTimeoutMs = 1_500;
/** A check writes to the disk; probes of several balancers share one. */
const checkTtlMs = 1_000;

/** Whether requests can be served: Redis answers and the store can be written and read. */
export function createReadiness({ redis, blobs }: Services): () => Promise<Readiness> {
  let latest: { promise: Promise<Readiness>; atMs: number } | undefined;
  const check = async (): Promise<Readiness> => {
    const [queue, store] = await Promise.all([
      toPart(() => withRedis(() => redis.ping())),
      toPart(() => blobs.check()),
    ]);
    return { ready: queue.ready && store.ready, parts: { redis: queue, storage: store } };
  };
  return () => {
    const nowMs = performance.now();
    if (!latest || nowMs - latest.atMs > checkTtlMs) latest = { promise: check(), atMs: nowMs };
    return latest.promise;
  };
}

/** Whether something outside the process does its work, within 1.5 s. */
export async function toPart(check: () => Promise<unknown>): Promise<{ ready: boolean; reason?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs);
  });
  try {
    await Promise.race([check(), late]);
    return { ready: true };
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** /health/live and /health/ready; /health/fast is answered before the app, and here when it runs without a front. */
export function addHealthRoutes(router: Router, deps: { readiness: () => Promise<Readiness> }): void {
  for (const path of ['/health/fast', '/health/live']) {
    addRoute(router, path, {
      get: (_req, res) => res.json({ status: 'ok', timestamp: new Date().toISOString() }),
    });
  }
  addRoute(router, '/health/ready', {
    async get(_req, res) {
      const { ready, ...detail } = await deps.readiness();
      res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not_ready', ...detail });
    },
  });
}
