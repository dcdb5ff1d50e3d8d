import { AppError } from '@studymate/contracts/errors';
import type { Request, Response } from 'express';

/**
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header: any text that the caller makes up.
 * @returns undefined when there is none
 * @throws AppError `invalid_request`
 */
export function readIdempotencyKey(req: Request): string | undefined {
  const key = req.get('idempotency-key');
  if (key === undefined) return undefined;
  if (/^[!-~]{1,255}$/.test(key)) return key;
  throw new AppError('invalid_request', 'Idempotency-Key: must have 1 to 255 visible ASCII characters, no spaces');
}

/** Says of an answer that nothing was made for it. */
export function setReplayed(res: Response): void {
  res.setHeader('idempotent-replayed', 'true');
}

export function toKeyMismatch(): AppError {
  return new AppError('idempotency_mismatch', 'This Idempotency-Key was sent with another content before.');
}
