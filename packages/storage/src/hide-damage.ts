import { AppError } from '@studymate/contracts/errors';

/**
 * A damaged record does not tell whose it is: to whom it is not known by other means, it is none. That somebody else has
 * one must not be told.
 *
 * @param isKnown asked of a damaged record alone
 * @throws what `read` throws; of damage only where it is known
 */
export async function hideDamage<T>(read: Promise<T | null>, isKnown: () => Promise<boolean>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    const isDamage = error instanceof AppError && error.code === 'internal';
    if (isDamage && !(await isKnown())) return null;
    throw error;
  }
}
