import { AppError } from '@studymate/contracts/errors';
import type { Response, Router } from 'express';
import type { Authenticator } from '../auth/authenticate.ts';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { openSse } from '../http/sse.ts';
import type { EventStreams } from './event-streams.ts';
import type { LectureReader } from './lecture-reader.ts';

/** How soon a reader comes back after a cut. */
const retryMs = 2_000;
/** How often it is looked whether a member may still read what is followed. */
const defaultRecheckMs = 10_000;

/**
 * GET /api/v1/lectures/:id/events: `snapshot`, the text so far as `segments`, then what changes, and `end`. A reader
 * that comes back with `Last-Event-ID` (or `?lastEventId`) goes on where it was; 204 tells one that has seen the
 * end not to come again. Of a lecture that has ended all comes at once, compressed for a reader that takes gzip.
 */
export function addEventRoute(
  router: Router,
  deps: { streams: EventStreams; reader: LectureReader; auth: Authenticator; recheckMs?: number },
): void {
  const { recheckMs = defaultRecheckMs } = deps;
  addRoute(router, '/api/v1/lectures/:id/events', {
    async get(req, res) {
      const person = ownerOf(res);
      const record = await deps.reader.readRecord(person, req.params.id);
      const { lastEventId } = req.query;
      const given = req.headers['last-event-id'] ?? lastEventId;
      const resume = await deps.streams.findResume(record, typeof given === 'string' ? given : undefined);
      res.vary('accept-encoding');
      if (resume === 'complete') {
        res.status(204).end();
      } else if (req.method === 'HEAD') {
        res.setHeader('content-type', 'text/event-stream; charset=utf-8');
        res.end();
      } else {
        deps.auth.endWithCredential(req, res);
        if (record.owner !== person) endWhenUnshared(res, () => deps.reader.readRecord(person, record.id), recheckMs);
        const takesGzip = req.acceptsEncodings('gzip') === 'gzip';
        await deps.streams.follow(
          record,
          (kind) => openSse(res, { retryMs, gzip: takesGzip && kind === 'whole' }),
          resume,
        );
      }
    },
  });
}

/** Ends the stream of a member from whom the course was taken. */
function endWhenUnshared(res: Response, read: () => Promise<unknown>, recheckMs: number): void {
  const timer = setInterval(() => {
    read().catch((error: unknown) => {
      // While the store is away nothing is known; the next look will tell.
      if (error instanceof AppError && error.code === 'not_found') res.destroy();
    });
  }, recheckMs);
  timer.unref();
  res.once('close', () => clearInterval(timer));
}
