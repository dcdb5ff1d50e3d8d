import { toAppError } from '@studymate/contracts/errors';

/** What is read, or null where it is damaged, which another try would not change. @throws what another try may change */
export async function unlessDamaged<T>(reading: Promise<T | null>): Promise<T | null> {
  try {
    return await reading;
  } catch (thrown) {
    if (toAppError(thrown).retryable) throw thrown;
    return null;
  }
}
