import type { Config } from '@studymate/config/config';
import { searchQuerySchema } from '@studymate/contracts/search';
import type { Logger } from '@studymate/observability/logger';
import type { Router } from 'express';
import type { Admission } from '../admission.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { callerGone } from '../http/caller-gone.ts';
import { parseRequest } from '../http/json-body.ts';
import type { Services } from '../services.ts';
import type { Search } from './create-search.ts';

/** /api/v1/search. @returns what ends it */
export function addSearchRoutes(
  router: Router,
  deps: { config: Config; services: Services; admission: Admission; logger: Logger },
): { close(): void } {
  const { services, admission, logger } = deps;
  let made: Promise<Search> | undefined;
  /** Stemmers and lists of words cost an API nothing that nobody searches with. */
  const search = (): Promise<Search> => {
    made ??= import('./create-search.ts').then(({ createSearch }) =>
      createSearch({ services, admission, logger, maxBytes: deps.config.search.memoryBytes }),
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

  return {
    close() {
      made?.then((each) => each.close()).catch(() => {});
    },
  };
}
