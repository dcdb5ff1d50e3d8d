import {
  chaptersRequestSchema,
  chaptersResponseSchema,
  summarizeRequestSchema,
  summarizeResponseSchema,
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

const timeoutMs = 120_000;
const mib = 1024 * 1024;

type TextJob = Exclude<QuickJobData, { kind: 'transcribe' | 'embed' | 'warmup' }>;

/** POST /api/v1/topics, /chapters, /summarize and /summarize/stream: short work on texts, done by a worker. */
export function addTextRoutes(router: Router, deps: { services: Services; admission: Admission }): void {
  const { quick, fleet } = deps.services;
  const admitted =
    (handle: (req: Request, res: Response) => Promise<unknown>): Handler =>
    (req, res) =>
      deps.admission.quick(ownerOf(res), () => handle(req, res));

  /** Has a worker do it. Whether the model had to be loaded is read off its state before. */
  const call = async <T extends z.ZodType>(res: Response, job: TextJob, schema: T): Promise<z.output<T>> => {
    const signal = callerGone(res);
    const models = await withRedis(() => fleet.read());
    res.locals.cold = models.find((model) => model.family === 'text')?.state !== 'ready';
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

  const summarize = async (req: Request, res: Response) => {
    // A text of a million characters of three bytes each, and the escapes of JSON.
    const request = await readJsonBody(req, { schema: summarizeRequestSchema, maxBytes: 8 * mib });
    return call(res, { kind: 'summarize', request }, summarizeResponseSchema);
  };

  addRoute(router, '/api/v1/summarize', {
    post: admitted(async (req, res) => {
      res.json(await summarize(req, res));
    }),
  });

  addRoute(router, '/api/v1/summarize/stream', {
    post: admitted(async (req, res) => {
      const { sentences } = await summarize(req, res);
      res.setHeader('content-type', 'text/event-stream; charset=utf-8');
      res.setHeader('x-accel-buffering', 'no');
      // The pieces put together are the summary, so each after the first brings the space before it.
      sentences.forEach(({ text }, i) => {
        res.write(`data: ${JSON.stringify({ content: i === 0 ? text : ` ${text}`, done: false })}\n\n`);
      });
      res.end(`data: ${JSON.stringify({ content: '', done: true })}\n\n`);
    }),
  });
}
