import type { IncomingMessage } from 'node:http';
import { modelFamilies, type WarmupRequest, warmupRequestSchema } from '@studymate/contracts/models';
import { withRedis } from '@studymate/queue/redis';
import type { Router } from 'express';
import { addRoute } from '../http/add-route.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Services } from '../services.ts';

const maxBodyBytes = 4_096;

/** GET /api/v1/models/status and POST /api/v1/warmup: what the workers' models are doing, and having them loaded. */
export function addModelRoutes(router: Router, deps: { services: Services }): void {
  const { fleet, queues } = deps.services;

  addRoute(router, '/api/v1/models/status', {
    get: async (_req, res) => res.json({ models: await withRedis(() => fleet.read()) }),
  });

  addRoute(router, '/api/v1/warmup', {
    async post(req, res) {
      const { families = modelFamilies } = await readWarmupRequest(req);
      const models = (await withRedis(() => fleet.read())).filter(({ family }) => families.includes(family));
      // One job a family, under its name: as long as it waits, asking again adds nothing.
      const cold = models.filter(({ state }) => state !== 'ready' && state !== 'loading');
      await withRedis(() =>
        Promise.all(cold.map(({ family }) => queues.addQuickJob({ kind: 'warmup', family }, `warmup-${family}`))),
      );
      res.status(202).json({ models });
    },
  });
}

/** No body at all means every family. */
async function readWarmupRequest(req: IncomingMessage): Promise<WarmupRequest> {
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  return hasBody ? readJsonBody(req, { schema: warmupRequestSchema, maxBytes: maxBodyBytes }) : {};
}
