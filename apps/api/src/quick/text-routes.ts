import {
  chaptersRequestSchema,
  chaptersResponseSchema,
  summarizeRequestSchema,
  topicsRequestSchema,
  topicsResponseSchema,
} from '@studymate/contracts/requests';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import { withRedis } from '@studymate/queue/redis';
import type { Request, Response, Router } from 'express';
import type { z } from 'zod';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute, type Handler } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Services } from '../services.ts';
import type { Summaries } from '../summaries/summaries.ts';
import type { SummaryCache } from '../summaries/summary-cache.ts';

const timeoutMs = 120_000;
const mib = 1024 * 1024;

type TextJob = Extract<QuickJobData, { kind: 'topics' | 'chapters' }>;

/** POST /api/v1/topics, /chapters, /summarize and /summarize/stream: short work on texts, done by a worker. */
export function addTextRoutes(
  router: Router,
  deps: { services: Services; admission: Admission; summaries: Summaries; summaryCache: SummaryCache },
): void {
  const { summaries, summaryCache } = deps;
  const { quick, fleet } = deps.services;
  const admitted =
    (handle: (req: Request, res: Response) => Promise<unknown>): Handler =>
    (req, res) =>
      deps.admission.quick(ownerOf(res), () => handle(req, res));

  const noteCold = async (res: Response): Promise<void> => {
    const models = await withRedis(() => fleet.read());
    res.locals.cold = models.find((model) => model.family === 'text')?.state !== 'ready';
  };

  /** Has a worker do it. Whether the model had to be loaded is read off its state before. */
  const call = async <T extends z.ZodType>(res: Response, job: TextJob, schema: T): Promise<z.output<T>> => {
    const signal = callerGone(res);
    await noteCold(res);
    return schema.parse(await quick.call(job, { timeoutMs, signal }));
  };

  addRoute(router, '/api/v1/topics', {
    post: admitted(async (req, res) => {
      const request = await readJsonBody(req, { schema: topicsRequestSchema, maxBytes: 16 * mib });
      res.json(await call(res, { kind: 'topics', request }, topicsResponseSchema));
    }),
  });

  addRoute(router, '/api/v1/chapters', {
    post: admitted(async (req, res) => {
      const request = await readJsonBody(req, { schema: chaptersRequestSchema, maxBytes: 8 * mib });
      res.json(await call(res, { kind: 'chapters', request }, chaptersResponseSchema));
    }),
  });

  // A text of a million characters of three bytes each, and the escapes of JSON.
  const readText = (req: Request) => readJsonBody(req, { schema: summarizeRequestSchema, maxBytes: 8 * mib });

  addRoute(router, '/api/v1/summarize', {
    post: admitted(async (req, res) => {
      const request = await readText(req);
      const signal = callerGone(res);
      await noteCold(res);
      res.json(await summaries.extract(request, { signal }));
    }),
  });

  addRoute(router, '/api/v1/summarize/stream', {
    post: admitted(async (req, res) => {
      const request = await readText(req);
      const signal = callerGone(res);
      const send = toSender(res);
      const { read, write } = toCacheUse(req.get('cache-control'));
      const key = summaryCache.toKey(ownerOf(res), request, summaries.algorithm);
      const kept = read ? await summaryCache.read(key) : null;
      res.setHeader('x-cache', kept ? 'hit' : 'miss');
      if (kept) {
        for (const piece of kept) send(piece);
        send(null);
        return;
      }
      await noteCold(res);
      const pieces: string[] = [];
      const stream = summaries.stream(request, signal);
      for await (const piece of stream) {
        if (signal.aborted) return;
        send(piece);
        pieces.push(piece);
      }
      send(null);
      if (write && stream.isLasting) await summaryCache.write(key, pieces);
    }),
  });
}

/** Sends SummarizeAI's events: one for each piece, and for null the one that ends them. */
function toSender(res: Response): (piece: string | null) => void {
  return (piece) => {
    if (!res.headersSent) {
      res.setHeader('content-type', 'text/event-stream; charset=utf-8');
      res.setHeader('x-accel-buffering', 'no');
    }
    const event = `data: ${JSON.stringify({ content: piece ?? '', done: piece === null })}\n\n`;
    if (piece === null) res.end(event);
    else res.write(event);
  };
}

/** `no-cache`: a new answer, which is kept; `no-store`: a new one, and nothing is kept. */
function toCacheUse(cacheControl = ''): { read: boolean; write: boolean } {
  const directives = cacheControl.toLowerCase().split(/\s*,\s*/);
  const write = !directives.includes('no-store');
  return { read: write && !directives.includes('no-cache'), write };
}
