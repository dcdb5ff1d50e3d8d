import type { Breathe } from '@studymate/study/search/search-shards';

/** Longest stretch of work without letting other requests have the thread. */
const sliceMs = 8;

export function createBreathe(): Breathe {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < sliceMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        sinceMs = performance.now();
        resolve();
      });
    });
  };
}
