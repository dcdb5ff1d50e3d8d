import type { BlobStore } from './blob-store.ts';
import { transientPrefix } from './lecture-keys.ts';
import type { LectureStore } from './lecture-store.ts';

/** A mark is written just before its lecture: one without a lecture is a dead one's only when it is this old. */
const minOrphanAgeMs = 24 * 3_600_000;

/**
 * Removes lectures that were made for one request and whose time is over (`transientUntil`), and marks of those that
 * have been gone for a day. One that cannot be read stays, as every unreadable lecture does.
 * @param deps.onError told of each lecture that could not be removed; the others are not held up by it
 * @returns how many lectures were removed
 */
export async function collectTransients(
  deps: {
    blobs: Pick<BlobStore, 'list' | 'stat' | 'delete'>;
    lectures: Pick<LectureStore, 'read' | 'delete'>;
    onError(error: unknown, lectureId: string): void;
  },
  options: { nowMs?: number } = {},
): Promise<number> {
  const { blobs, lectures } = deps;
  const nowMs = options.nowMs ?? Date.now();
  let removed = 0;

  const collect = async (key: string, lectureId: string): Promise<void> => {
    const record = await lectures.read(lectureId).catch(() => undefined);
    if (record === undefined) return;
    if (record === null) {
      const mark = await blobs.stat(key);
      if (mark && nowMs - mark.modifiedMs < minOrphanAgeMs) return;
    } else if (record.transientUntil !== undefined) {
      if (Date.parse(record.transientUntil) > nowMs) return;
      await lectures.delete(lectureId);
      removed++;
    }
    // The mark last: as long as it is there, the rest can be done by the next call.
    await blobs.delete(key);
  };

  for (const key of await blobs.list(transientPrefix)) {
    const lectureId = key.slice(transientPrefix.length);
    try {
      await collect(key, lectureId);
    } catch (error) {
      deps.onError(error, lectureId);
    }
  }
  return removed;
}
