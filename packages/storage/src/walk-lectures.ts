import type { BlobStore } from './blob-store.ts';
import { lecturesPrefix, parseRecordKey } from './lecture-keys.ts';

/** What of a lecture lies in the store. */
export interface StoredLecture {
  lectureId: string;
  /** Versions of its record, ascending; a deletion is one of them. */
  versions: number[];
  /** Whether there is anything else. */
  hasMore: boolean;
}

/** Every lecture of the store, deleted ones too, one after the other: for walks through very many. */
export async function* walkLectures(blobs: Pick<BlobStore, 'walk'>): AsyncGenerator<StoredLecture> {
  let current: StoredLecture | undefined;
  for await (const key of blobs.walk(lecturesPrefix)) {
    const [lectureId = ''] = key.slice(lecturesPrefix.length).split('/', 1);
    if (current && current.lectureId !== lectureId) yield current;
    const lecture: StoredLecture =
      current?.lectureId === lectureId ? current : { lectureId, versions: [], hasMore: false };
    const version = parseRecordKey(key);
    if (version === null) lecture.hasMore = true;
    else lecture.versions.push(version);
    current = lecture;
  }
  if (current) yield current;
}
