import { idSchema, toId } from '@studymate/contracts/ids';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { defaultBacklog } from '@studymate/queue/estimate';
import { noLiveState, toLectureView } from '@studymate/queue/lecture-view';
import type { LectureStore } from '@studymate/storage/lecture-store';

export interface RetentionDeps {
  lectures: Pick<LectureStore, 'listAllIds' | 'read' | 'delete'>;
  /** Takes what Redis still has of a deleted lecture. */
  forget(lectureId: string): Promise<void>;
  onError(error: unknown, lectureId: string): void;
}

const dayMs = 86_400_000;
/** The smallest random part of an id. */
const noBytes = new Uint8Array(16);

/**
 * Deletes lectures that were made more than so many days ago. The age stands in the id, so younger ones are not read. One
 * that is still worked on, or whose record cannot be read, stays until that has changed.
 * @param days 0: nothing is ever too old
 * @returns how many were deleted
 */
export async function deleteExpired(deps: RetentionDeps, days: number, nowMs = Date.now()): Promise<number> {
  if (days === 0) return 0;
  const { lectures } = deps;
  const oldestId = toId(Math.max(0, nowMs - days * dayMs), noBytes);
  let deleted = 0;
  for (const id of await lectures.listAllIds()) {
    if (id >= oldestId || !idSchema.safeParse(id).success) continue;
    try {
      const record = await lectures.read(id);
      if (!record || isUnfinished(record)) continue;
      await lectures.delete(id);
      deleted++;
      await deps.forget(id);
    } catch (error) {
      deps.onError(error, id);
    }
  }
  return deleted;
}

/** What has ended does not depend on its chunks. */
function isUnfinished(record: LectureRecord): boolean {
  const { status } = toLectureView(record, { cutChunks: [], transcribedChunks: [] }, noLiveState, defaultBacklog);
  return status === 'queued' || status === 'running';
}
