import { AppError } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { NextFunction, Request, Response } from 'express';
import { isFromListedOrigin } from './cors.ts';
import { toRequestId } from './request-id.ts';

/**
 * What the app keeps about a request in `res.locals`: `requestId` (the caller's own, if it is a plain one), `route`
 * (the pattern), `cold` (whether a model had to be loaded, where that is known), `isStream` (its length says nothing
 * about speed). This gives each request its id, logs its end, and measures it. Health probes are logged at level debug.
 */
export function createRequestContext(deps: { logger: Logger; metrics: Metrics }) {
  return (req: Request, res: Response, next: NextFunction): void => {
    const startedMs = performance.now();
    const requestId = toRequestId(req.headers);
    res.locals.requestId = requestId;
    res.setHeader('x-request-id', requestId);
    // What nothing is said of is kept nowhere.
    res.setHeader('cache-control', 'no-store');
    res.once('close', () => {
      const seconds = (performance.now() - startedMs) / 1000;
      const route = typeof res.locals.route === 'string' ? res.locals.route : 'none';
      // 499: the caller went away before the answer was complete.
      const status = res.writableFinished ? res.statusCode : 499;
      const line = { requestId, method: req.method, route, status, seconds: Math.round(seconds * 1e4) / 1e4 };
      if (route.startsWith('/health')) deps.logger.debug(line, 'request');
      else deps.logger.info(line, 'request');
      if (res.locals.isStream) return;
      deps.metrics.observeHttp({ method: req.method, route, status, seconds });
      if (status < 400) deps.metrics.observeFirstRequest({ route, cold: res.locals.cold === true, seconds });
    });
    next();
  };
}

const harmlessMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a page of another site makes a browser send: forms and uploads need no leave of ours (no preflight),
 * and on loopback there is no key that the page would lack. Every current browser says where a request comes from in
 * `Sec-Fetch-Site`; other programs send no such header. Pages of origins that the operator has listed may.
 */
export function refuseCrossSite(req: Request, res: Response, next: NextFunction): void {
  const site = req.headers['sec-fetch-site'];
  const isOurs = site === undefined || site === 'same-origin' || site === 'none' || isFromListedOrigin(res);
  if (!isOurs && !harmlessMethods.has(req.method)) {
    throw new AppError('cross_site', 'A page of another site may not do this.');
  }
  next();
}
