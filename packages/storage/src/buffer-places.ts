import { AppError } from '@studymate/contracts/errors';

/** Room in memory for parts of uploads that are being received. */
export interface BufferPlaces {
  /**
   * To be called with what is held so far, again and again; a little needs no place.
   * @throws AppError `unavailable` when all places are taken
   */
  hold(holder: BufferHolder, bytes: number): void;
  /** Gives back what was held. */
  release(holder: BufferHolder): void;
}

/** Whoever holds parts, until it has released them. */
export type BufferHolder = object;

/** Of all parts together, in one process. */
const maxBytes = 256 * 1024 * 1024;
const leastPlaces = 4;
/** So little is held by any number. */
const freeBytes = 1024 * 1024;

/** @param partBytes what a place is for */
export function createBufferPlaces(partBytes: number): BufferPlaces {
  const places = Math.max(leastPlaces, Math.floor(maxBytes / partBytes));
  const holders = new Set<BufferHolder>();
  return {
    hold(holder, bytes) {
      if (bytes <= freeBytes || holders.has(holder)) return;
      if (holders.size >= places) {
        throw new AppError('unavailable', 'So many uploads come in at once that another one has to wait.', {
          details: { retryAfterSeconds: 5 },
        });
      }
      holders.add(holder);
    },
    release: (holder) => void holders.delete(holder),
  };
}
