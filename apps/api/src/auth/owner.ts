import { AppError } from '@studymate/contracts/errors';
import type { Response } from 'express';

/** To whom everything belongs while AUTH is off. */
export const anonymousOwner = 'local';

/**
 * Whose request this is, as the authentication has found.
 * @throws AppError `internal` on a route that it does not stand before: nothing is given to nobody in particular
 */
export function ownerOf(res: Response): string {
  const { owner } = res.locals;
  if (typeof owner === 'string' && owner !== '') return owner;
  throw new AppError('internal', 'The route is not authenticated.', { retryable: false });
}
