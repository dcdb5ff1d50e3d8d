import type { NextFunction, Request, Response } from 'express';
import { tusResponseHeaders } from '../uploads/tus-headers.ts';

/** What a page of another origin may read of our answers, besides the few headers that every page may. */
export const exposedHeaders = [
  'ETag',
  'Retry-After',
  'X-Request-Id',
  'X-Cache',
  'RateLimit',
  'RateLimit-Policy',
  'Content-Disposition',
  'Accept-Ranges',
  'Content-Range',
  // `Location`, and what resumable uploads have besides.
  ...tusResponseHeaders,
] as const;

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
/** How long a browser remembers what it was allowed. */
const maxAgeSeconds = 600;
const headerNames = /^[\w-]+(\s*,\s*[\w-]+)*$/;

/**
 * Lets pages of the listed origins call the API (https://fetch.spec.whatwg.org/#http-cors-protocol), also with the
 * session's cookie, which players and EventSource need; no others, and never all. Answers preflights, which come without
 * a key. Whether an origin is listed is kept in `res.locals.isListedOrigin`.
 */
export function createCors(origins: readonly string[]) {
  const listed = new Set(origins);
  return (req: Request, res: Response, next: NextFunction): void => {
    if (listed.size === 0) {
      next();
      return;
    }
    res.setHeader('vary', 'Origin');
    const { origin } = req.headers;
    if (origin === undefined || !listed.has(origin)) {
      next();
      return;
    }
    res.locals.isListedOrigin = true;
    res.setHeader('access-control-allow-origin', origin);
    res.setHeader('access-control-allow-credentials', 'true');
    // A page of a listed origin may also show what it cannot read, such as a player.
    res.setHeader('cross-origin-resource-policy', 'cross-origin');
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) {
      res.setHeader('access-control-expose-headers', exposedHeaders.join(', '));
      next();
      return;
    }
    const asked = req.headers['access-control-request-headers'] ?? '';
    res.setHeader('access-control-allow-methods', allowedMethods);
    // The origin is trusted: whatever its programs send is taken, and what we do not know is ignored.
    if (asked.length <= 1_000 && headerNames.test(asked)) res.setHeader('access-control-allow-headers', asked);
    res.setHeader('access-control-max-age', maxAgeSeconds);
    res.status(204).end();
  };
}

/** Whether the request comes from a page of a listed origin. */
export function isFromListedOrigin(res: Response): boolean {
  return res.locals.isListedOrigin === true;
}
