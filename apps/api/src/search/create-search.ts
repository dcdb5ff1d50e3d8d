import { AppError } from '@studymate/contracts/errors';
import type { SearchResponse, searchQuerySchema } from '@studymate/contracts/search';
import type { Logger } from '@studymate/observability/logger';
import { findHighlights } from '@studymate/study/search/highlights';
import type { z } from 'zod';
import type { Admission } from '../admission.ts';
import type { Services } from '../services.ts';
import { createBreathe } from './breathe.ts';
import { createLibraries } from './libraries.ts';
import { createMoments } from './moments.ts';
import { createQueryVectors } from './query-vectors.ts';
import { createReadableLectures } from './readable-lectures.ts';
import { findByMeaning, findByWords, toFound, toScope } from './scope.ts';

export interface Search {
  /** @throws AppError `not_found`, `model_loading` (only when meaning alone was asked for), `too_many_requests` */
  search(owner: string, query: z.output<typeof searchQuerySchema>, signal: AbortSignal): Promise<SearchResponse>;
  close(): void;
}

/** How long both ways wait for a worker to say where the query lies; meaning alone waits until a cold model is loaded. */
const hybridPatienceMs = 800;
const semanticPatienceMs = 10_000;
const maxAtOnce = 32;

export function createSearch(deps: {
  services: Services;
  admission: Pick<Admission, 'quick'>;
  maxBytes: number;
  logger: Logger;
}): Search {
  const { services } = deps;
  const readable = createReadableLectures(services);
  const libraries = createLibraries({ ...services, readable, maxBytes: deps.maxBytes, logger: deps.logger });
  const moments = createMoments({ ...services, readable, onChanged: libraries.forget });
  const vectors = createQueryVectors({ quick: services.quick, admission: deps.admission });
  let running = 0;

  /** What of the caller's lectures is asked about. */
  const open = async (owner: string, wanted: { lectureId?: string | undefined; courseId?: string | undefined }) => {
    if (wanted.lectureId !== undefined) {
      const record = await services.lectures.read(wanted.lectureId);
      if (!record || !readable.canRead(owner, record)) throw new AppError('not_found', 'There is no such lecture.');
    }
    const library = await libraries.open(owner);
    return toScope(library, wanted);
  };

  const limited = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= maxAtOnce) {
      throw new AppError('too_many_requests', 'Too many searches at once.', { details: { retryAfterSeconds: 1 } });
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
    }
  };

  return {
    search: (owner, query, signal) =>
      limited(async () => {
        const { q, mode, limit, courseId } = query;
        const timeoutMs = mode === 'semantic' ? semanticPatienceMs : hybridPatienceMs;
        const [scope, vector] = await Promise.all([
          open(owner, query),
          mode === 'keyword' ? null : vectors.embed(q, { owner, timeoutMs, signal }),
        ]);
        if (mode === 'semantic' && !vector) {
          throw new AppError('model_loading', 'No worker could say in time what the words mean.', {
            details: { retryAfterSeconds: 2 },
          });
        }
        const breathe = createBreathe();
        const { hits, asked } = await findByWords(scope, q, breathe);
        const lists = mode === 'semantic' ? [] : [hits];
        if (vector) lists.push(await findByMeaning(scope, vector, breathe));
        const described = await moments.describe(toFound(scope, lists), { owner, courseId, limit });
        const results = described.map(({ moment, found }) => {
          const words = asked.get(found.part.language);
          return { ...moment, highlights: words ? findHighlights(moment.text, words.terms, words.words) : [] };
        });
        return {
          mode: vector ? mode : 'keyword',
          results,
          lectures: scope.lectures,
        };
      }),
    close: libraries.close,
  };
}
