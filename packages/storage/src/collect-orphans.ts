import type { BlobStore } from './blob-store.ts';
import {
  clipsPrefix,
  deletionVersion,
  lecturesPrefix,
  mediaPrefix,
  ownersPrefix,
  parseRecordKey,
} from './lecture-keys.ts';
import { peekRecord } from './record-peek.ts';

export interface CollectedOrphans {
  /** Keys that were removed. */
  removed: string[];
  /** Files that dead writers left unfinished and that were removed. */
  unfinishedFiles: number;
  /** Lectures whose record cannot be read: as long as there are any, no media is removed, for it may be theirs. */
  unreadableLectures: string[];
}

/**
 * Media without a record may be of a request that still lasts: the record is written after the file. A request ends
 * at most some minutes after its file's last byte, and a clip is forgotten after as long.
 */
const minAgeMs = 24 * 60 * 60 * 1000;

/**
 * Removes what processes left behind that died in the middle of a request: media that no lecture has, clips, and marks
 * of lectures that were never written. Only what is older than a day goes. Reads one record of every lecture when there
 * is media that old: for a rare background task.
 */
export async function collectOrphans(
  deps: { blobs: BlobStore },
  options: { nowMs?: number } = {},
): Promise<CollectedOrphans> {
  const { blobs } = deps;
  const newestMs = (options.nowMs ?? Date.now()) - minAgeMs;

  const listOld = async (prefix: string): Promise<string[]> => {
    const old: string[] = [];
    for (const key of await blobs.list(prefix)) {
      const stat = await blobs.stat(key);
      if (stat && stat.modifiedMs < newestMs) old.push(key);
    }
    return old;
  };

  // The candidates before the lectures: what gets its lecture in between is found to have one.
  const clips = await listOld(clipsPrefix);
  const media = await listOld(mediaPrefix);
  const marks = (await listOld(ownersPrefix)).filter((key) =>
    /^owners\/[^/]+\/(?:lectures|media\/[^/]+)\/[^/]+$/.test(key),
  );
  const versions = await listVersions(blobs);

  const orphans = [...clips, ...marks.filter((key) => !versions.has(key.slice(key.lastIndexOf('/') + 1)))];
  const unreadableLectures: string[] = [];
  if (media.length > 0) {
    const used = new Set<string>();
    for (const [lectureId, keys] of versions) {
      const mediaKey = await readMediaKey(blobs, lectureId, keys);
      if (mediaKey === null) unreadableLectures.push(lectureId);
      else used.add(mediaKey);
    }
    if (unreadableLectures.length === 0) orphans.push(...media.filter((key) => !used.has(key)));
  }
  for (const key of orphans) await blobs.delete(key);
  return { removed: orphans, unfinishedFiles: await blobs.removeAbandoned(), unreadableLectures };
}

/** The keys of each lecture's record versions, oldest first; a deleted lecture has none but its mark. */
async function listVersions(blobs: BlobStore): Promise<Map<string, string[]>> {
  const versions = new Map<string, string[]>();
  for (const key of await blobs.list(lecturesPrefix)) {
    if (parseRecordKey(key) === null) continue;
    const lectureId = key.slice(lecturesPrefix.length).split('/', 1)[0] ?? '';
    versions.set(lectureId, [...(versions.get(lectureId) ?? []), key]);
  }
  return versions;
}

/** @returns '' for a lecture that has been deleted, null when none of its versions tells */
async function readMediaKey(blobs: BlobStore, lectureId: string, keys: string[]): Promise<string | null> {
  for (const key of keys.toReversed()) {
    if (parseRecordKey(key) === deletionVersion) return '';
    const bytes = await blobs.read(key);
    const record = bytes && peekRecord(lectureId, bytes);
    if (record) return record.media.key;
  }
  // Deleted while we looked: then there is nothing of it any more.
  return (await blobs.list(`${lecturesPrefix}${lectureId}/records/`)).some((key) => keys.includes(key)) ? null : '';
}
