import { AppError, errorCatalogue, toAppError } from '@studymate/contracts/errors';
import type { Logger } from '@studymate/observability/logger';
import type { NextFunction, Request, Response } from 'express';
import { readCredential } from '../auth/credentials.ts';
import { openaiPath, toOpenaiError } from '../openai/openai-error.ts';
import { lingerOn } from './linger.ts';

/** Clients give up on longer ones (the OpenAI SDKs honour at most 60 s). */
const maxRetryAfterSeconds = 60;

const abandonedHeaders = ['accept-ranges', 'content-disposition', 'content-length', 'content-type', 'etag'];

/** Turns whatever was thrown into `{"error": {code, message, requestId, …details}}` with the code's status. */
export function createErrorHandler(deps: { logger: Logger }) {
  return (thrown: unknown, req: Request, res: Response, _next: NextFunction): void => {
    const error = toHttpError(thrown);
    const { status } = errorCatalogue[error.code];
    const requestId = String(res.locals.requestId ?? '');
    const { traceId } = res.locals;
    res.locals.errorCode = error.code;
    if (status >= 500) {
      deps.logger.error({ err: error, requestId, ...(traceId && { traceId }), code: error.code }, 'request failed');
    }
    // The caller cannot see anything any more.
    if (res.destroyed || res.writableEnded) return;
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const { retryAfterSeconds } = error.details ?? {};
    if (typeof retryAfterSeconds === 'number') {
      res.setHeader('retry-after', Math.min(maxRetryAfterSeconds, Math.max(1, Math.ceil(retryAfterSeconds))));
    }
    if (error.code === 'unauthenticated') res.setHeader('www-authenticate', toChallenge(req));
    // What went wrong inside is for the log; the request id finds it there.
    const message = error.code === 'internal' ? 'Something went wrong on our side.' : error.message;
    lingerOn(req);
    // What a route had said of the answer that it did not come to.
    for (const header of abandonedHeaders) res.removeHeader(header);
    res.setHeader('cache-control', 'no-store');
    const isOpenai = req.path.startsWith(openaiPath);
    // OpenAI's SDKs repeat every 5xx unless they are told not to.
    if (isOpenai && !error.retryable) res.setHeader('x-should-retry', 'false');
    const body = isOpenai
      ? toOpenaiError(error, message, requestId)
      : { error: { ...error.details, code: error.code, message, requestId } };
    res.status(status).json(body);
  };
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3: a wrong key is named as such, a missing one is not. */
function toChallenge(req: Request): string {
  return `Bearer realm="StudyMate"${readCredential(req.headers) ? ', error="invalid_token"' : ''}`;
}

/** Errors of express and its router carry a status: a malformed path is the caller's mistake, not ours. */
function toHttpError(thrown: unknown): AppError {
  const status = thrown instanceof Error && 'status' in thrown ? thrown.status : undefined;
  if (status === 400) return new AppError('invalid_request', 'The address is malformed.', { cause: thrown });
  if (status === 403 || status === 404) return new AppError('not_found', 'There is no such path.', { cause: thrown });
  return toAppError(thrown);
}
