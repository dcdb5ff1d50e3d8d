import { AppError } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Span, Tracer } from '@studymate/observability/tracer';
import type { NextFunction, Request, Response } from 'express';
import { isFromListedOrigin } from './cors.ts';
import { toRequestId } from './request-id.ts';

/**
 * What the app keeps about a request in `res.locals`: `requestId` (the caller's own, if it is a plain one), `route`
 * (the pattern), `cold` (whether a model had to be loaded, where that is known), `isStream` (its length says nothing
 * about speed), `errorCode` (where it failed), `traceId` (where it is traced). This gives each request its id, logs its end,
 * measures and traces it. Health probes are logged at level debug, and not traced.
 */
export function createRequestContext(deps: { logger: Logger; metrics: Metrics; tracer: Tracer }) {
  return (req: Request, res: Response, next: NextFunction): void => {
    const startedMs = performance.now();
    const requestId = toRequestId(req.headers);
    res.locals.requestId = requestId;
    res.setHeader('x-request-id', requestId);
    // What nothing is said of is kept nowhere.
    res.setHeader('cache-control', 'no-store');
    const span = beginSpan(deps.tracer, req);
    if (span) res.locals.traceId = span.traceId;
    res.once('close', () => {
      const seconds = (performance.now() - startedMs) / 1000;
      const route = typeof res.locals.route === 'string' ? res.locals.route : 'none';
      // 499: the caller went away before the answer was complete.
      const status = res.writableFinished ? res.statusCode : 499;
      if (span) endSpan(span, { method: req.method, route, status, errorCode: res.locals.errorCode });
      const traced = span && { traceId: span.traceId };
      const line = {
        requestId,
        ...traced,
        method: req.method,
        route,
        status,
        seconds: Math.round(seconds * 1e4) / 1e4,
      };
      if (route.startsWith('/health')) deps.logger.debug(line, 'request');
      else deps.logger.info(line, 'request');
      if (res.locals.isStream) return;
      deps.metrics.observeHttp({ method: req.method, route, status, seconds });
      if (status < 400) deps.metrics.observeFirstRequest({ route, cold: res.locals.cold === true, seconds });
    });
    if (span) deps.tracer.run(span, next);
    else next();
  };
}

function beginSpan(tracer: Tracer, req: Request): Span | null {
  if (!tracer.isOn || req.path.startsWith('/health')) return null;
  const { traceparent } = req.headers;
  return tracer.start(req.method, {
    kind: 'server',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    attributes: { 'http.request.method': req.method },
  });
}

function endSpan(span: Span, end: { method: string; route: string; status: number; errorCode: unknown }): void {
  if (end.route !== 'none') {
    span.rename(`${end.method} ${end.route}`);
    span.setAttributes({ 'http.route': end.route });
  }
  span.setAttributes({ 'http.response.status_code': end.status });
  const code = typeof end.errorCode === 'string' ? end.errorCode : undefined;
  // A caller's mistake is no failure of ours.
  if (end.status >= 500) span.fail(code ?? 'internal');
  else if (code !== undefined) span.setAttributes({ 'error.type': code });
  span.end();
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
