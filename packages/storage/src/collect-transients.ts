import type { BlobStore } from './blob-store.ts';
import { transientPrefix } from './lecture-keys.ts';
import type { LectureStore } from './lecture-store.ts';

/**
 * Removes lectures that were made for one request and whose time is over (`transientUntil`), and marks of those that
 * are gone already. One that cannot be read stays, as every unreadable lecture does.
 * @returns how many lectures were removed
 */
export async function collectTransients(
  deps: { blobs: Pick<BlobStore, 'list' | 'delete'>; lectures: Pick<LectureStore, 'read' | 'delete'> },
  options: { nowMs?: number } = {},
): Promise<number> {
  const nowMs = options.nowMs ?? Date.now();
  let removed = 0;
  for (const key of await deps.blobs.list(transientPrefix)) {
    const lectureId = key.slice(transientPrefix.length);
    const record = await deps.lectures.read(lectureId).catch(() => undefined);
    if (record === undefined) continue;
    if (record?.transientUntil !== undefined) {
      if (Date.parse(record.transientUntil) > nowMs) continue;
      await deps.lectures.delete(lectureId);
      removed++;
    }
    // The mark last: as long as it is there, the rest can be done by the next call.
    await deps.blobs.delete(key);
  }
  return removed;
}
