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
import type { Response, Router } from 'express';
import { z } from 'zod';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { toCacheUse } from '../cache/cache-control.ts';
import type { AnswerMaker, CacheKind, ResponseCache } from '../cache/response-cache.ts';
import { addRoute } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Services } from '../services.ts';
import type { Summaries } from '../summaries/summaries.ts';

const timeoutMs = 120_000;
const mib = 1024 * 1024;
/** A body of this size is read before there is room for its work: none is needed when the answer is kept. */
const smallBodyBytes = 64 * 1024;

interface TextRoute<Q extends z.ZodType> {
  kind: CacheKind;
  request: Q;
  maxBytes: number;
  /** What makes the answer besides the workers' text model. */
  maker?: string;
  /** What all pieces of an answer are. */
  pieces: z.ZodType<unknown[]>;
  answer(request: z.output<Q>): AnswerMaker<unknown>;
  send(res: Response, pieces: AsyncIterable<unknown>, signal: AbortSignal): Promise<void>;
}

/** POST /api/v1/topics, /chapters, /summarize and /summarize/stream: short work on texts, done by a worker. */
export function addTextRoutes(
  router: Router,
  deps: {
    services: Services;
    admission: Admission;
    summaries: Summaries;
    cache: ResponseCache;
  },
): void {
  const { admission, summaries, cache } = deps;
  const { quick, fleet, modelNames } = deps.services;

  /** Whether the model had to be loaded is read off its state before. */
  const noteCold = async (res: Response): Promise<void> => {
    const models = await withRedis(() => fleet.read());
    res.locals.cold = models.find((model) => model.family === 'text')?.state !== 'ready';
  };

  const addTextRoute = <Q extends z.ZodType>(path: string, route: TextRoute<Q>): void => {
    addRoute(router, path, {
      async post(req, res) {
        const owner = ownerOf(res);
        const signal = callerGone(res);
        const isSmall = Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= smallBodyBytes;
        // A large body is let in before it is read, a small one only if there is work to do.
        const giveBack = isSmall ? null : await admission.takeQuick(owner);
        try {
          const content = await readJsonBody(req, { schema: route.request, maxBytes: route.maxBytes });
          const { make, isLasting, canMake = () => modelNames.hasWorker('text') } = route.answer(content);
          async function* admitted(making: AbortSignal): AsyncGenerator<unknown> {
            const leave = isSmall ? await admission.takeQuick(owner) : null;
            try {
              await noteCold(res);
              yield* make(making);
            } finally {
              leave?.();
            }
          }
          const model = [route.maker, await modelNames.read('text')].join(' ');
          const use = toCacheUse(req.get('cache-control'));
          const { result, pieces } = await cache.open(
            { kind: route.kind, owner, content, model, pieces: route.pieces, use },
            { make: admitted, canMake, ...(isLasting && { isLasting }) },
            signal,
          );
          res.setHeader('x-cache', result === 'shared' ? 'hit' : result);
          await route.send(res, pieces, signal);
        } finally {
          giveBack?.();
        }
      },
    });
  };

  /** The answer is one value of JSON. */
  const addJsonRoute = <Q extends z.ZodType, A extends z.ZodType>(
    path: string,
    route: Pick<TextRoute<Q>, 'kind' | 'request' | 'maxBytes'> & {
      response: A;
      work(request: z.output<Q>, signal: AbortSignal): Promise<unknown>;
    },
  ): void => {
    addTextRoute(path, {
      ...route,
      pieces: z.array(route.response).length(1),
      answer: (request) => ({
        async *make(signal) {
          yield route.response.parse(await route.work(request, signal));
        },
      }),
      async send(res, pieces) {
        for await (const piece of pieces) res.json(route.response.parse(piece));
      },
    });
  };

  const call = (job: QuickJobData, signal: AbortSignal) => quick.call(job, { timeoutMs, signal });
  addJsonRoute('/api/v1/topics', {
    kind: 'topics',
    request: topicsRequestSchema,
    response: topicsResponseSchema,
    maxBytes: 16 * mib,
    work: (request, signal) => call({ kind: 'topics', request }, signal),
  });
  addJsonRoute('/api/v1/chapters', {
    kind: 'chapters',
    request: chaptersRequestSchema,
    response: chaptersResponseSchema,
    maxBytes: 8 * mib,
    work: (request, signal) => call({ kind: 'chapters', request }, signal),
  });
  // A text of a million characters of three bytes each, and the escapes of JSON.
  const text = { request: summarizeRequestSchema, maxBytes: 8 * mib };
  addJsonRoute('/api/v1/summarize', {
    ...text,
    kind: 'summary',
    response: summarizeResponseSchema,
    work: (request, signal) => summaries.extract(request, { signal }),
  });
  addTextRoute('/api/v1/summarize/stream', {
    ...text,
    kind: 'summary-stream',
    maker: summaries.algorithm,
    pieces: z.array(z.string()),
    answer(request) {
      let isLasting = true;
      return {
        async *make(signal) {
          const stream = summaries.stream(request, signal);
          yield* stream;
          isLasting = stream.isLasting;
        },
        isLasting: () => isLasting,
        ...(!summaries.needsWorker && { canMake: async () => true }),
      };
    },
    async send(res, pieces, signal) {
      const send = toSender(res);
      for await (const piece of pieces) {
        if (signal.aborted) return;
        send(z.string().parse(piece));
      }
      send(null);
    },
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
