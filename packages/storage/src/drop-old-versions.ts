import type { BlobStore } from './blob-store.ts';

/** Far more than are written while anybody looks at one of them; a lecture without corrections has some 30 in all. */
const keptVersions = 50;
/** At one time, of a record that has very many. */
const mostDropped = 20;

/**
 * Those before a record's last ones are of no use any more, and each look at it would list them. The oldest first: what a
 * process that dies leaves, or the store refuses, goes with the next update.
 *
 * @param versions all that there are, ascending
 */
export async function dropOldVersions(
  blobs: Pick<BlobStore, 'delete'>,
  versions: readonly number[],
  toKey: (version: number) => string,
): Promise<void> {
  try {
    for (const version of versions.slice(0, -keptVersions).slice(0, mostDropped)) await blobs.delete(toKey(version));
  } catch {
    // The next update does it.
  }
}
