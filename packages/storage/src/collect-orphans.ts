import type { BlobStore } from './blob-store.ts';
import {
  clipsPrefix,
  deletionVersion,
  mediaKey,
  mediaPrefix,
  ownersPrefix,
  parseRecordKey,
  parseUploadKey,
  recordKey,
  recordsPrefix,
  uploadsPrefix,
} from './lecture-keys.ts';
import { peekRecord } from './record-peek.ts';
import { walkLectures } from './walk-lectures.ts';

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

  const listOld = async (prefix: string): Promise<Set<string>> => {
    const old = new Set<string>();
    for await (const key of blobs.walkOlder(prefix, newestMs)) old.add(key);
    return old;
  };

  // The candidates before the lectures: what gets its lecture in between is found to have one.
  const clips = await listOld(clipsPrefix);
  const media = await listOld(mediaPrefix);
  // On its way to a lecture: it can still be asked for.
  for await (const key of blobs.walk(uploadsPrefix)) media.delete(mediaKey(parseUploadKey(key)?.id ?? ''));
  const marks = new Map<string, string[]>();
  for (const key of await listOld(ownersPrefix)) {
    const [, lectureId] = /^owners\/[^/]+\/(?:lectures|media\/[^/]+)\/([^/]+)$/.exec(key) ?? [];
    if (lectureId !== undefined) marks.set(lectureId, [...(marks.get(lectureId) ?? []), key]);
  }

  const unreadableLectures: string[] = [];
  const hasMedia = media.size > 0;
  for await (const { lectureId, versions } of walkLectures(blobs)) {
    if (versions.length === 0) continue;
    marks.delete(lectureId);
    if (!hasMedia) continue;
    const mediaKey = await readMediaKey(blobs, lectureId, versions);
    if (mediaKey === null) unreadableLectures.push(lectureId);
    else media.delete(mediaKey);
  }
  const removed = [...clips, ...[...marks.values()].flat(), ...(unreadableLectures.length === 0 ? media : [])];
  for (const key of removed) await blobs.delete(key);
  return { removed, unfinishedFiles: await blobs.removeAbandoned(), unreadableLectures };
}

/** @returns '' for a lecture that has been deleted, null when none of its versions tells */
async function readMediaKey(blobs: BlobStore, lectureId: string, versions: number[]): Promise<string | null> {
  for (const version of versions.toReversed()) {
    if (version === deletionVersion) return '';
    const bytes = await blobs.read(recordKey(lectureId, version));
    const record = bytes && peekRecord(lectureId, bytes);
    if (record) return record.media.key;
  }
  const now = (await blobs.list(recordsPrefix(lectureId))).flatMap((key) => parseRecordKey(key) ?? []);
  if (versions.some((version) => now.includes(version))) return null;
  // Deleted while we looked: then there is nothing of it any more. Or so much was written that these were dropped.
  return now.length === 0 ? '' : readMediaKey(blobs, lectureId, now);
}
