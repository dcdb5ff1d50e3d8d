import type { Response } from 'express';

/** @returns a signal that is aborted when the caller has gone before the answer was sent, and after it was */
export function callerGone(res: Response): AbortSignal {
  const gone = new AbortController();
  if (res.destroyed) gone.abort();
  else res.once('close', () => gone.abort());
  return gone.signal;
}
