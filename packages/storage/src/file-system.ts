import { link, lstat, mkdir, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises';
import { AppError } from '@studymate/contracts/errors';

/** What the file store asks of the operating system. Tests wrap it to make single calls fail. */
export const nodeFileSystem = { link, lstat, mkdir, open, readdir, realpath, rename, rmdir, unlink };
export type FileSystem = typeof nodeFileSystem;

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * What a folder or name that vanishes in mid-call looks like. ENOTDIR: Node's recursive mkdir says it when a parent that
 * it has just found goes away (seen about once in 2,000 rounds). EEXIST: the blob that had the name is gone by now.
 */
export const vanishedCodes = new Set(['ENOENT', 'ENOTDIR', 'EEXIST']);

/** The error code of the operating system, or '' for any other thrown value. */
export function systemCode(thrown: unknown): string {
  if (!(thrown instanceof Error) || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

/**
 * A fault of the file system as a coded error: `storage_full` when there is no room, `storage_unavailable` for
 * all other codes of the system. What is already coded, or is no fault of the system, is returned as it is.
 */
export function toStorageError(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown;
  const code = systemCode(thrown);
  if (fullCodes.has(code))
    return new AppError('storage_full', 'There is no room left in the store.', { cause: thrown });
  if (/^E[A-Z0-9]+$/.test(code)) {
    return new AppError('storage_unavailable', `The store cannot be used (${code}).`, { cause: thrown });
  }
  return thrown;
}

/** Awaits an action on the file system and throws its faults as coded errors. */
export async function guarded<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw toStorageError(thrown);
  }
}
