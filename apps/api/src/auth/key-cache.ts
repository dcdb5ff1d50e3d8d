import { createHash } from 'node:crypto';
import type { ApiKeyInfo, KeyStore } from '@studymate/storage/key-store';

export interface KeyCache {
  /** As `KeyStore.find`, from memory where the key was found a moment ago. */
  find(presented: string): Promise<ApiKeyInfo | null>;
  /** Whether it was a key that works when it was last looked up, however long ago. */
  wasGood(presented: string): boolean;
}

/** A revocation works within this time in every copy of the API. */
const defaultTtlMs = 3_000;
/** Only keys that exist are kept, so this is reached by nobody's guessing. */
const maxEntries = 10_000;

/**
 * Keys that were found a moment ago, under their own hash: what lies in memory is no key either. What was not found
 * is not kept, and lookups of one key at the same time share one.
 */
export function createKeyCache(deps: { keys: Pick<KeyStore, 'find'>; ttlMs?: number; now?: () => number }): KeyCache {
  const { keys, ttlMs = defaultTtlMs, now = () => performance.now() } = deps;
  const found = new Map<string, { info: ApiKeyInfo; untilMs: number }>();
  const pending = new Map<string, Promise<ApiKeyInfo | null>>();

  const fresh = (hash: string): ApiKeyInfo | undefined => {
    const entry = found.get(hash);
    return entry && entry.untilMs > now() ? entry.info : undefined;
  };

  const look = async (hash: string, presented: string): Promise<ApiKeyInfo | null> => {
    // From before the lookup: a revocation while it lasts must not be missed for longer than the time to live.
    const untilMs = now() + ttlMs;
    const info = await keys.find(presented);
    if (!info) {
      found.delete(hash);
      return null;
    }
    if (found.size >= maxEntries) found.clear();
    found.set(hash, { info, untilMs });
    return info;
  };

  return {
    wasGood: (presented) => found.get(toHash(presented))?.info.revokedAt === null,
    find(presented) {
      const hash = toHash(presented);
      const known = fresh(hash);
      if (known) return Promise.resolve(known);
      const asked = pending.get(hash);
      if (asked) return asked;
      const promise = look(hash, presented).finally(() => pending.delete(hash));
      pending.set(hash, promise);
      return promise;
    },
  };
}

function toHash(presented: string): string {
  return createHash('sha256').update(presented).digest('hex');
}
