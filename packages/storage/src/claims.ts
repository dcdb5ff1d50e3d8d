import { createHash } from 'node:crypto';
import { parseJson, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { claimKey, claimsPrefix } from './lecture-keys.ts';

/** What the first request under a key wanted. */
export interface Claim {
  /** Of what it makes. */
  id: string;
  /** Of its content: another request under the same key must have the same. */
  fingerprint: string;
}

/** Keys under which something is made once, however often and by however many at a time it is asked for. */
export interface Claims {
  /**
   * @param key taken by this for 24 hours
   * @returns the claim that holds: this one, or that of whoever was first
   */
  claim(owner: string, key: string, wanted: Claim): Promise<Claim>;
  /** @returns the claim that holds, or null where the key is free */
  find(owner: string, key: string): Promise<Claim | null>;
  /** Removes those that have expired. @returns how many */
  collect(): Promise<number>;
}

interface StoredClaim extends Claim {
  createdMs: number;
}

const dayMs = 86_400_000;

/**
 * Claims over a blob store, made by exclusive create, so that they hold between processes and outlive Redis. They lie
 * by days: one of the day before holds until it is 24 hours old, and whole days are removed when none of theirs can
 * hold any more.
 */
export function createClaims(deps: { blobs: BlobStore; now?: () => number }): Claims {
  const { blobs, now = Date.now } = deps;

  const read = async (key: string): Promise<StoredClaim | null> => {
    const bytes = await blobs.read(key);
    return bytes && parseJson(key, bytes, storedClaimSchema);
  };

  /** Where a claim of this moment lies, and how to read the one of the day before. */
  const locate = (owner: string, key: string) => {
    const createdMs = now();
    const day = Math.floor(createdMs / dayMs);
    const name = createHash('sha256').update(owner).update('\0').update(key).digest('hex');
    const readEarlier = async () => {
      const earlier = await read(claimKey(day - 1, name));
      return earlier && createdMs - earlier.createdMs < dayMs ? earlier : null;
    };
    return { createdMs, todaysKey: claimKey(day, name), readEarlier };
  };

  return {
    async find(owner, key) {
      const { todaysKey, readEarlier } = locate(owner, key);
      return (await readEarlier()) ?? (await read(todaysKey));
    },
    async claim(owner, key, { id, fingerprint }) {
      const { createdMs, todaysKey, readEarlier } = locate(owner, key);
      const earlier = await readEarlier();
      if (earlier) return earlier;
      const mine: StoredClaim = { id, fingerprint, createdMs };
      if (!(await blobs.create(todaysKey, toJsonBytes(mine)))) {
        return (await read(todaysKey)) ?? mine;
      }
      // Of two that meet at midnight, the one of the day before holds.
      return (await readEarlier()) ?? mine;
    },
    async collect() {
      const today = Math.floor(now() / dayMs);
      let removed = 0;
      for await (const key of blobs.walk(claimsPrefix)) {
        const [, day] = key.split('/');
        if (Number(day) >= today - 1) continue;
        await blobs.delete(key);
        removed++;
      }
      return removed;
    },
  };
}

const storedClaimSchema = {
  safeParse(value: unknown): { success: true; data: StoredClaim } | { success: false; error: { message: string } } {
    const { id, fingerprint, createdMs } = (value ?? {}) as Partial<Record<string, unknown>>;
    return typeof id === 'string' && typeof fingerprint === 'string' && typeof createdMs === 'number'
      ? { success: true, data: { id, fingerprint, createdMs } }
      : { success: false, error: { message: 'it is not a claim' } };
  },
};
