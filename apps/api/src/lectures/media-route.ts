import { pipeline } from 'node:stream/promises';
import { AppError } from '@studymate/contracts/errors';
import type { BlobStore } from '@studymate/storage/blob-store';
import type { Response, Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { toContentDisposition } from '../http/content-disposition.ts';
import { parseRange } from '../http/range.ts';
import type { LectureReader } from './lecture-reader.ts';
import { toPlayableType } from './media-types.ts';

const stallMs = 500;

/** While the API stops, who takes nothing (a paused player) is cut off, and comes back with a range. */
function cutStalledWhenStopping(res: Response, stopping: AbortSignal): void {
  let timer: NodeJS.Timeout | undefined;
  const watch = () => {
    let sentBefore = -1;
    timer = setInterval(() => {
      const sent = res.socket?.bytesWritten ?? 0;
      if (sent === sentBefore) res.destroy();
      sentBefore = sent;
    }, stallMs);
  };
  if (stopping.aborted) watch();
  else stopping.addEventListener('abort', watch, { once: true });
  res.once('close', () => {
    clearInterval(timer);
    stopping.removeEventListener('abort', watch);
  });
}

/**
 * GET and HEAD /api/v1/lectures/:id/media, with single ranges.
 * @param deps.stopping fires when the API begins to stop
 */
export function addMediaRoute(
  router: Router,
  deps: { blobs: BlobStore; reader: LectureReader; stopping: AbortSignal },
): void {
  const { blobs, reader, stopping } = deps;
  addRoute(router, '/api/v1/lectures/:id/media', {
    async get(req, res) {
      const { media, title } = await reader.readRecord(ownerOf(res), req.params.id);
      const stat = await blobs.stat(media.key);
      if (!stat) throw new AppError('not_found', 'The recording is gone.');
      const etag = `"${media.sha256}"`;
      res.setHeader('accept-ranges', 'bytes');
      res.setHeader('etag', etag);
      // May be kept, but asked about each time: a deleted lecture must not go on playing from a cache.
      res.setHeader('cache-control', 'private, no-cache');
      // Also here, not at the upload alone: older records hold what the uploader claimed.
      res.setHeader('content-type', toPlayableType(media.contentType, media.fileName) ?? 'application/octet-stream');
      res.setHeader('content-disposition', toContentDisposition('inline', media.fileName || title));
      if (req.headers['if-none-match'] === etag) {
        res.status(304).end();
        return;
      }
      const ifRange = req.headers['if-range'];
      let range: { start: number; end: number } | null = null;
      try {
        range = ifRange === undefined || ifRange === etag ? parseRange(req.headers.range, stat.bytes) : null;
      } catch (error) {
        res.setHeader('content-range', `bytes */${stat.bytes}`);
        throw error;
      }
      if (range) {
        res.status(206);
        res.setHeader('content-range', `bytes ${range.start}-${range.end}/${stat.bytes}`);
      }
      res.setHeader('content-length', range ? range.end - range.start + 1 : stat.bytes);
      if (req.method === 'HEAD') {
        res.end();
        return;
      }
      cutStalledWhenStopping(res, stopping);
      try {
        await pipeline(blobs.stream(media.key, range ?? undefined), res);
      } catch (error) {
        // A player that seeks ends its request in the middle.
        if (!res.destroyed || !res.headersSent) throw error;
      }
    },
  });
}
