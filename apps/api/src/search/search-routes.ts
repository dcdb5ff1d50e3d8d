import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import { idSchema } from '@studymate/contracts/ids';
import { askRequestSchema, relatedQuerySchema, searchQuerySchema } from '@studymate/contracts/search';
import type { LanguageModel } from '@studymate/language-model/language-model';
import type { Logger } from '@studymate/observability/logger';
import type { Router } from 'express';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import type { CourseReader } from '../courses/course-reader.ts';
import { addRoute } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { parseRequest, readJsonBody } from '../http/json-body.ts';
import { openSse } from '../http/sse.ts';
import type { Services } from '../services.ts';
import type { Search } from './create-search.ts';
import { collectAnswer, streamAnswer, wantsEvents } from './stream-answer.ts';

const maxQuestionBytes = 16_384;

/** /api/v1/search, /ask, /lectures/:id/chapters/:index/related. @returns what ends it */
export function addSearchRoutes(
  router: Router,
  deps: {
    config: Config;
    services: Services;
    courseReader: CourseReader;
    admission: Admission;
    model: LanguageModel | null;
    logger: Logger;
  },
): Pick<Search, 'forget' | 'close'> {
  const { services, courseReader, admission, model, logger } = deps;
  let made: Promise<Search> | undefined;
  /** Stemmers and lists of words cost an API nothing that nobody searches with. */
  const search = (): Promise<Search> => {
    made ??= import('./create-search.ts').then(({ createSearch }) =>
      createSearch({ services, courseReader, admission, model, logger, maxBytes: deps.config.search.memoryBytes }),
    );
    return made;
  };

  addRoute(router, '/api/v1/search', {
    async get(req, res) {
      const query = parseRequest(searchQuerySchema, req.query);
      const signal = callerGone(res);
      res.json(await (await search()).search(ownerOf(res), query, signal));
    },
  });

  addRoute(router, '/api/v1/ask', {
    async post(req, res) {
      const request = await readJsonBody(req, { schema: askRequestSchema, maxBytes: maxQuestionBytes });
      const signal = callerGone(res);
      const asked = await (await search()).ask(ownerOf(res), request, signal);
      if (request.stream ?? wantsEvents(req)) await streamAnswer(asked, openSse(res));
      else res.json(await collectAnswer(asked));
    },
  });

  addRoute(router, '/api/v1/lectures/:id/chapters/:index/related', {
    async get(req, res) {
      const query = parseRequest(relatedQuerySchema, req.query);
      const lectureId = idSchema.safeParse(req.params.id);
      const index = /^\d{1,6}$/.test(String(req.params.index)) ? Number(req.params.index) : Number.NaN;
      if (!lectureId.success || Number.isNaN(index)) throw new AppError('not_found', 'There is no such chapter.');
      res.json(await (await search()).related(ownerOf(res), { lectureId: lectureId.data, index }, query));
    },
  });

  return {
    // Before the first search there is nothing to forget.
    forget(lectureId) {
      made?.then((each) => each.forget(lectureId)).catch(() => {});
    },
    close() {
      made?.then((each) => each.close()).catch(() => {});
    },
  };
}
