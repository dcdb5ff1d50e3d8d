import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@studymate/contracts/errors';
import { exportQuerySchema } from '@studymate/contracts/queries';
import type { Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { toContentDisposition } from '../http/content-disposition.ts';
import { parseRequest } from '../http/json-body.ts';
import type { LectureReader } from '../lectures/lecture-reader.ts';
import type { Services } from '../services.ts';
import { listExportFiles } from './export-files.ts';
import { toTar } from './tar.ts';

/** Who takes nothing for so long is given up. */
const stallMs = 60_000;
const maxExports = 8;
const retryAfterSeconds = 30;

/**
 * GET /api/v1/export: all that an owner has, as an archive that is made while it is sent. One at a time for each owner,
 * and a few in all.
 */
export function addExportRoute(
  router: Router,
  deps: { services: Services; reader: LectureReader; stopping: AbortSignal },
): void {
  const running = new Set<string>();
  addRoute(router, '/api/v1/export', {
    async get(req, res) {
      const owner = ownerOf(res);
      const { media } = parseRequest(exportQuerySchema, req.query);
      if (running.has(owner) || running.size >= maxExports) {
        throw new AppError('too_many_requests', 'An export is running already; wait until it has ended.', {
          details: { retryAfterSeconds },
        });
      }
      res.setHeader('content-type', 'application/x-tar');
      res.setHeader('content-disposition', toContentDisposition('attachment', 'studymate-export.tar'));
      if (req.method === 'HEAD') {
        res.end();
        return;
      }
      running.add(owner);
      // Its length says nothing about speed.
      res.locals.isStream = true;
      res.setTimeout(stallMs, () => res.destroy());
      let fault: unknown;
      async function* makeArchive(): AsyncGenerator<Uint8Array> {
        let isAway = false;
        try {
          for await (const part of toTar(listExportFiles(deps, owner, { withMedia: media === 'true' }))) {
            isAway = true;
            yield part;
            isAway = false;
          }
        } catch (error) {
          // A stream that is ended from outside throws its reason in here, too: where a part was given away.
          if (!isAway) fault = error;
          throw error;
        }
      }
      try {
        await pipeline(Readable.from(makeArchive(), { objectMode: false }), res, { signal: deps.stopping });
      } catch {
        // Otherwise the caller has gone, or this copy stops.
        if (fault !== undefined) throw fault;
      } finally {
        running.delete(owner);
      }
    },
  });
}
