import { createHash } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import {
  finishedUploadSchema,
  type UploadInfo,
  uploadInfoSchema,
  uploadLectureSchema,
} from '@studymate/contracts/upload';
import { type ArtifactSchema, parseJson, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import {
  mediaKey,
  ownerUploadsPrefix,
  parseUploadKey,
  recordsPrefix,
  type UploadFileName,
  uploadKey,
  uploadsPrefix,
} from './lecture-keys.ts';
import type { PartialFiles, PartialWriter } from './partial-files.ts';

/** A resumable upload as it stands. */
export interface StoredUpload extends Omit<UploadInfo, 'schemaVersion'> {
  /** How many of its bytes have come. */
  offset: number;
  /** When its last byte came, or it became a lecture; when it was begun, before that. Milliseconds since 1970. */
  touchedMs: number;
  /** The lecture that it has become, or is becoming. */
  lectureId: string | null;
}

/**
 * Resumable uploads: what is known of them as blobs that are written once, their bytes as a partial file that becomes
 * the lecture's media by getting another name. Whoever changes an upload holds its lock (packages/queue); nothing here
 * looks after that.
 */
export interface UploadStore {
  create(upload: Omit<UploadInfo, 'schemaVersion' | 'createdAt'>): Promise<void>;
  /** @returns null when the owner has no such upload */
  read(owner: string, id: string): Promise<StoredUpload | null>;
  /** @throws AppError `offset_mismatch`, `storage_full` */
  append(upload: Pick<StoredUpload, 'id'>, offset: number): Promise<PartialWriter>;
  /**
   * Notes that all bytes have come. Doing it again gives what was noted.
   * @param known the SHA-256 (hex) where it was computed on the way; else the bytes are read once
   * @returns the SHA-256
   */
  finish(upload: Pick<StoredUpload, 'owner' | 'id' | 'bytes'>, known?: string): Promise<string>;
  /** Notes which lecture it becomes. @returns the one that was noted first */
  claimLecture(upload: Pick<StoredUpload, 'owner' | 'id'>, lectureId: string): Promise<string>;
  /** Notes that it has become another lecture than was noted first, because that one has the same recording. */
  replaceLecture(upload: Pick<StoredUpload, 'owner' | 'id'>, lectureId: string): Promise<void>;
  /**
   * Makes the bytes the media of its name.
   * @returns false when they are nowhere any more
   * @throws AppError `storage_unavailable` when there are more or fewer than were promised
   */
  publish(upload: Pick<StoredUpload, 'id' | 'bytes'>): Promise<boolean>;
  /** Forgets the upload and its bytes; a lecture that was made of it stays. @returns false when the owner has no such upload */
  remove(owner: string, id: string): Promise<boolean>;
  /** How many uploads of an owner are no lecture and have not expired. That one was to be it does not make it one. */
  countOpen(owner: string, options: { ttlMs: number; enough: number }): Promise<number>;
  /** Removes uploads that have expired an hour ago: nobody who was let in before that is still at work. */
  collectExpired(options: { ttlMs: number; nowMs?: number }): Promise<number>;
}

const expiryMarginMs = 60 * 60 * 1000;
/** Ids that are remembered; without them they are looked up again. */
const maxSettled = 100_000;

export function createUploadStore(deps: { blobs: BlobStore; partials: PartialFiles }): UploadStore {
  const { blobs, partials } = deps;
  /** Uploads whose lecture was seen, also if it is deleted by now. */
  const settled = new Set<string>();

  async function readFile<T>(
    owner: string,
    id: string,
    name: UploadFileName,
    schema: ArtifactSchema<T>,
  ): Promise<T | null> {
    const key = uploadKey(owner, id, name);
    const bytes = await blobs.read(key);
    return bytes && parseJson(key, bytes, schema);
  }

  async function read(owner: string, id: string): Promise<StoredUpload | null> {
    const info = await readFile(owner, id, 'upload', uploadInfoSchema);
    // Two owners may have names of one hash only by a miracle, but this costs nothing.
    if (!info || info.owner !== owner) return null;
    const { schemaVersion: _, ...upload } = info;
    const lecture = await readFile(owner, id, 'lecture', uploadLectureSchema);
    const done = await blobs.stat(uploadKey(owner, id, lecture ? 'lecture' : 'finished'));
    if (done) {
      return { ...upload, offset: info.bytes, touchedMs: done.modifiedMs, lectureId: lecture?.lectureId ?? null };
    }
    const stat = await partials.stat(id);
    const touchedMs = stat?.modifiedMs ?? Date.parse(info.createdAt);
    return { ...upload, offset: stat?.bytes ?? 0, touchedMs, lectureId: null };
  }

  /**
   * The bytes first and what is known of them last: as long as that is there, the rest can be found. They may be media
   * already; unless it is to be a lecture's, nobody else would ever ask for it.
   */
  async function removeFiles(keys: string[], id: string, isLecture: boolean): Promise<void> {
    await partials.remove(id);
    if (!isLecture) await blobs.delete(mediaKey(id));
    // "upload" comes last in the order of the alphabet, too.
    for (const key of keys.sort()) await blobs.delete(key);
  }

  async function listByUpload(prefix: string): Promise<Map<string, { names: UploadFileName[]; keys: string[] }>> {
    const found = new Map<string, { names: UploadFileName[]; keys: string[] }>();
    for await (const key of blobs.walk(prefix)) {
      const parsed = parseUploadKey(key);
      if (!parsed) continue;
      const entry = found.get(parsed.id) ?? { names: [], keys: [] };
      entry.names.push(parsed.name);
      entry.keys.push(key);
      found.set(parsed.id, entry);
    }
    return found;
  }

  /** Whether the lecture that an upload has noted is or was there; whoever noted it may have been refused after that. */
  async function hasLecture(owner: string, id: string): Promise<boolean> {
    if (settled.has(id)) return true;
    const lecture = await readFile(owner, id, 'lecture', uploadLectureSchema);
    if (!lecture || (await blobs.list(recordsPrefix(lecture.lectureId))).length === 0) return false;
    if (settled.size >= maxSettled) settled.clear();
    settled.add(id);
    return true;
  }

  return {
    read,
    async create({ owner, id, bytes, metadata }) {
      const createdAt = new Date().toISOString();
      const info: UploadInfo = { schemaVersion: 1, id, owner, bytes, metadata, createdAt };
      if (!(await blobs.create(uploadKey(owner, id, 'upload'), toJsonBytes(info)))) {
        throw new AppError('internal', `There is already an upload ${id}.`, { retryable: false });
      }
    },
    append: ({ id }, offset) => partials.append(id, offset),
    async finish({ owner, id, bytes }, known) {
      const noted = await readFile(owner, id, 'finished', finishedUploadSchema);
      if (noted) return noted.sha256;
      const sha256 = known ?? (await hash(partials.read(id, bytes)));
      await blobs.create(uploadKey(owner, id, 'finished'), toJsonBytes({ schemaVersion: 1, sha256 }));
      return sha256;
    },
    async claimLecture({ owner, id }, lectureId) {
      const key = uploadKey(owner, id, 'lecture');
      if (await blobs.create(key, toJsonBytes({ schemaVersion: 1, lectureId }))) return lectureId;
      return (await readFile(owner, id, 'lecture', uploadLectureSchema))?.lectureId ?? lectureId;
    },
    async replaceLecture({ owner, id }, lectureId) {
      await blobs.put(uploadKey(owner, id, 'lecture'), toJsonBytes({ schemaVersion: 1, lectureId }));
    },
    async publish({ id, bytes }) {
      const key = mediaKey(id);
      return (await partials.publish(id, key, bytes)) || (await blobs.stat(key)) !== null;
    },
    async remove(owner, id) {
      const upload = await read(owner, id);
      if (!upload) return false;
      const names: UploadFileName[] = ['finished', 'lecture', 'upload'];
      await removeFiles(
        names.map((name) => uploadKey(owner, id, name)),
        id,
        upload.lectureId !== null,
      );
      return true;
    },
    async countOpen(owner, { ttlMs, enough }) {
      const uploads = await listByUpload(ownerUploadsPrefix(owner));
      // Only near the limit is it worth a look at each: what has expired waits for the worker to be removed.
      if (uploads.size < enough) return uploads.size;
      const oldestMs = Date.now() - ttlMs;
      let count = 0;
      for (const [id, { names }] of uploads) {
        if (names.includes('lecture') && (await hasLecture(owner, id))) continue;
        const upload = await read(owner, id);
        if (upload && upload.touchedMs >= oldestMs) count++;
      }
      return count;
    },
    async collectExpired({ ttlMs, nowMs = Date.now() }) {
      const oldestMs = nowMs - ttlMs - expiryMarginMs;
      for (const id of await partials.listOlder(oldestMs)) await partials.remove(id);
      let removed = 0;
      for await (const { id, keys } of walkUploads(blobs)) {
        // Of the newest of its files; while bytes are there, they are newer than these, or else went just now.
        const stats = await Promise.all(keys.map((key) => blobs.stat(key)));
        if (stats.some((stat) => stat && stat.modifiedMs >= oldestMs) || (await partials.stat(id))) continue;
        const isLecture = keys.some((key) => parseUploadKey(key)?.name === 'lecture');
        await removeFiles(keys, id, isLecture);
        removed++;
      }
      return removed;
    },
  };
}

/** All uploads of all owners, one after the other. */
async function* walkUploads(blobs: Pick<BlobStore, 'walk'>): AsyncGenerator<{ id: string; keys: string[] }> {
  let current: { id: string; keys: string[] } | undefined;
  for await (const key of blobs.walk(uploadsPrefix)) {
    const id = parseUploadKey(key)?.id;
    if (id === undefined) continue;
    if (current && current.id !== id) yield current;
    if (current?.id === id) current.keys.push(key);
    else current = { id, keys: [key] };
  }
  if (current) yield current;
}

async function hash(source: AsyncIterable<Uint8Array>): Promise<string> {
  const sha256 = createHash('sha256');
  for await (const part of source) sha256.update(part);
  return sha256.digest('hex');
}
