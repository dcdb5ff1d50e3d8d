import { AppError } from '@studymate/contracts/errors';
import type {
  askRequestSchema,
  RelatedResponse,
  relatedQuerySchema,
  SearchResponse,
  searchQuerySchema,
} from '@studymate/contracts/search';
import type { LanguageModel } from '@studymate/language-model/language-model';
import type { Logger } from '@studymate/observability/logger';
import { findHighlights } from '@studymate/study/search/highlights';
import type { z } from 'zod';
import type { Admission } from '../admission.ts';
import type { CourseReader } from '../courses/course-reader.ts';
import type { Services } from '../services.ts';
import { createAnswerWriter } from './answer-writer.ts';
import { type Asked, ask } from './ask.ts';
import { createBreathe } from './breathe.ts';
import { createLibraries } from './libraries.ts';
import { createMoments } from './moments.ts';
import { createQueryVectors } from './query-vectors.ts';
import { createReadableLectures } from './readable-lectures.ts';
import { type ChapterPlace, findRelated } from './related.ts';
import { findByMeaning, findByWords, toFound } from './scope.ts';
import { openScope, readReadable, type SearchContext } from './search-context.ts';

export interface Search {
  /** @throws AppError `not_found`, `model_loading` (only when meaning alone was asked for), `too_many_requests` */
  search(owner: string, query: z.output<typeof searchQuerySchema>, signal: AbortSignal): Promise<SearchResponse>;
  /** @throws AppError `not_found`, `too_many_requests` */
  ask(owner: string, request: z.output<typeof askRequestSchema>, signal: AbortSignal): Promise<Asked>;
  /** @throws AppError `not_found`, `too_many_requests`, and what says why there are no chapters */
  related(owner: string, place: ChapterPlace, query: z.output<typeof relatedQuerySchema>): Promise<RelatedResponse>;
  /** What is found of the lecture may be another from now on. */
  forget(lectureId: string): void;
  close(): void;
}

/** How long both ways wait for a worker to say where the query lies; meaning alone waits until a cold model is loaded. */
const hybridPatienceMs = 800;
const semanticPatienceMs = 10_000;
const maxAtOnce = 32;

export function createSearch(deps: {
  services: Services;
  courseReader: Pick<CourseReader, 'isShared'>;
  admission: Pick<Admission, 'quick'>;
  maxBytes: number;
  /** Writes answers to questions; null: they are passages alone. */
  model: LanguageModel | null;
  logger: Logger;
}): Search {
  const { services } = deps;
  const readable = createReadableLectures({ ...services, courseReader: deps.courseReader });
  const libraries = createLibraries({ ...services, readable, maxBytes: deps.maxBytes, logger: deps.logger });
  const moments = createMoments({ ...services, readable, onChanged: libraries.forget });
  const vectors = createQueryVectors({ quick: services.quick, admission: deps.admission });
  const { model, logger } = deps;
  const writer = model && createAnswerWriter({ model, breaker: services.breakers.languageModel, vectors, logger });
  let running = 0;

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

  const context: SearchContext = { services, readable, libraries, moments, vectors, limited, logger };

  return {
    async search(owner, query, signal) {
      const { q, mode, limit, courseId, lectureId } = query;
      if (lectureId !== undefined) await readReadable(context, owner, lectureId);
      const timeoutMs = mode === 'semantic' ? semanticPatienceMs : hybridPatienceMs;
      const [scope, vector] = await Promise.all([
        limited(() => openScope(context, owner, query)),
        mode === 'keyword' ? null : vectors.embed(q, { owner, timeoutMs, signal }),
      ]);
      if (mode === 'semantic' && !vector) {
        throw new AppError('model_loading', 'No worker could say in time what the words mean.', {
          details: { retryAfterSeconds: 2 },
        });
      }
      return limited(async () => {
        const breathe = createBreathe();
        const { hits, asked } = await findByWords(scope, q, breathe, mode === 'semantic' ? 0 : undefined);
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
      });
    },
    ask: (owner, request, signal) => ask(context, writer, owner, request, signal),
    related: (owner, place, query) => limited(() => findRelated(context, owner, place, query)),
    forget: libraries.forget,
    close: libraries.close,
  };
}
