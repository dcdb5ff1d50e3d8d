import { AppError } from '@studymate/contracts/errors';

/** What a store is asked to do: refused once it is closed, and awaited when it is. */
export interface StoreCalls {
  run<T>(action: () => Promise<T>): Promise<T>;
  /** Waits for what has begun. From the call on everything else is refused. */
  close(): Promise<void>;
}

/** @param guard turns faults of what the store lies on into coded ones */
export function createStoreCalls(guard: <T>(action: () => Promise<T>) => Promise<T>): StoreCalls {
  const pending = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async run(action) {
      if (closed) throw new AppError('storage_unavailable', 'The store is closed.');
      const promise = guard(action);
      pending.add(promise);
      try {
        return await promise;
      } finally {
        pending.delete(promise);
      }
    },
    async close() {
      closed = true;
      await Promise.allSettled(pending);
    },
  };
}

/**
 * Runs the writing of a stream. A fault of the source is not one of the store, even if it looks like it (ECONNRESET):
 * it is thrown as it came.
 */
export async function withSource<T>(
  source: AsyncIterable<Uint8Array>,
  write: (watched: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  let fault: { thrown: unknown } | undefined;
  async function* watched() {
    try {
      yield* source;
    } catch (thrown) {
      fault = { thrown };
      throw thrown;
    }
  }
  try {
    return await write(watched());
  } catch (thrown) {
    throw fault ? fault.thrown : thrown;
  }
}

/** @throws AppError `range_not_satisfiable` for what is no range of bytes */
export function checkRange(range: { start: number; end: number } | undefined): void {
  if (range && !(Number.isSafeInteger(range.start) && range.start >= 0 && range.end >= range.start)) {
    throw new AppError('range_not_satisfiable', 'The range is not one of bytes.');
  }
}
