import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { LectureStore } from '@studymate/storage/lecture-store';

/** What a caller may find: the one place that decides it. */
export interface ReadableLectures {
  /** Ids of lectures that the owner may be able to read, newest first. */
  list(owner: string): Promise<string[]>;
  /** Whether the lecture may be found by the owner: asked when it is read, and again before it is shown. */
  canRead(owner: string, record: LectureRecord): boolean;
}

export function createReadableLectures(deps: { lectures: Pick<LectureStore, 'listIds'> }): ReadableLectures {
  return {
    list: (owner) => deps.lectures.listIds(owner, { limit: Number.POSITIVE_INFINITY }),
    canRead: (owner, record) => record.owner === owner && record.transientUntil === undefined,
  };
}
