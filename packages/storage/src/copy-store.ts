import { AppError } from '@studymate/contracts/errors';
import type { BlobStat, BlobStore } from './blob-store.ts';
import {
  claimsPrefix,
  clipsPrefix,
  deletionVersion,
  lecturesPrefix,
  parseRecordKey,
  uploadsPrefix,
} from './lecture-keys.ts';

export interface CopiedStore {
  copied: number;
  bytes: number;
  /** Were there already. */
  kept: number;
}

type Source = Pick<BlobStore, 'walk' | 'stat' | 'stream'>;
type Target = Pick<BlobStore, 'stat' | 'put'>;

/** What belongs to requests and uploads that are under way, and is of no use without them. */
const leftOut = [claimsPrefix, clipsPrefix, uploadsPrefix];
const copiesAtOnce = 8;

/**
 * Copies a store that is in use, so that the copy can be used: each record with all that it refers to. What a record
 * refers to was there before it and never changes; so the records are copied first, as they are then, and then the rest.
 * Last come the deletions that were made meanwhile, for their lectures may not be whole.
 *
 * Into a copy that is there already only what is new is copied; what was deleted since stays in it, and its deletion with
 * it.
 */
export async function backUpStore(deps: { from: Source; to: Target }): Promise<CopiedStore> {
  const { from } = deps;
  const isStale = (source: BlobStat, there: BlobStat) =>
    there.bytes !== source.bytes || there.modifiedMs < source.modifiedMs;
  const copy = createCopier({ ...deps, isStale });
  await copy.all(from.walk(lecturesPrefix), (key) => parseRecordKey(key) !== null);
  await copy.all(from.walk(''), (key) => parseRecordKey(key) === null && !isLeftOut(key));
  await copy.all(from.walk(lecturesPrefix), (key) => parseRecordKey(key) === deletionVersion);
  return copy.result;
}

/**
 * Copies back what a backup holds. What is there already stays as it is, so it may be done again after it was interrupted.
 * The records come last: a lecture is seen only when it is whole.
 */
export async function restoreStore(deps: { from: Source; to: Target }): Promise<CopiedStore> {
  const { from } = deps;
  const copy = createCopier({ ...deps, isStale: () => false });
  await copy.all(from.walk(''), (key) => parseRecordKey(key) === null && !isLeftOut(key));
  await copy.all(from.walk(lecturesPrefix), (key) => parseRecordKey(key) !== null);
  return copy.result;
}

function isLeftOut(key: string): boolean {
  return leftOut.some((prefix) => key.startsWith(prefix));
}

function createCopier(deps: { from: Source; to: Target; isStale(source: BlobStat, there: BlobStat): boolean }) {
  const { from, to, isStale } = deps;
  const result: CopiedStore = { copied: 0, bytes: 0, kept: 0 };

  async function copyOne(key: string): Promise<void> {
    const [source, there] = await Promise.all([from.stat(key), to.stat(key)]);
    // Deleted since it was listed.
    if (!source) return;
    if (there && !isStale(source, there)) {
      result.kept++;
      return;
    }
    try {
      const { bytes } = await to.put(key, from.stream(key));
      result.copied++;
      result.bytes += bytes;
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.code === 'not_found')) throw thrown;
    }
  }

  return {
    result,
    async all(keys: AsyncIterable<string>, matches: (key: string) => boolean): Promise<void> {
      let batch: string[] = [];
      const flush = async () => {
        // All of them, so that none still writes when it is said that one has failed.
        const outcomes = await Promise.allSettled(batch.map(copyOne));
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
        batch = [];
      };
      for await (const key of keys) {
        if (matches(key)) batch.push(key);
        if (batch.length === copiesAtOnce) await flush();
      }
      await flush();
    },
  };
}
