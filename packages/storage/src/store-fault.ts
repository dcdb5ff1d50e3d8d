import { AppError } from '@studymate/contracts/errors';

/** Why the store cannot be opened, in one line for operators; null for any other error. */
export function explainStoreFault(error: unknown): string | null {
  if (!(error instanceof AppError && /^storage_/.test(error.code))) return null;
  const why = error.cause instanceof Error ? ` ${error.cause.message}` : '';
  return `${error.message}${why} (STORE, DATA_DIR, S3_…)`;
}
