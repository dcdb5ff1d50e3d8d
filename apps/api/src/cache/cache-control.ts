import type { CacheUse } from './response-cache.ts';

/** `no-cache`: a new answer, which is kept; `no-store`: a new one, and nothing is kept. */
export function toCacheUse(cacheControl = ''): CacheUse {
  const directives = cacheControl
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  const write = !directives.includes('no-store');
  return { read: write && !directives.includes('no-cache'), write };
}
