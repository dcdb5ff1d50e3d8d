import { AppError } from '@studymate/contracts/errors';
import {
  type ArtifactIndex,
  type ArtifactRef,
  type LectureRecord,
  lectureRecordSchema,
} from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import { parseStored, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { dropOldVersions } from './drop-old-versions.ts';
import { inBatches } from './in-batches.ts';
import {
  attemptPrefix,
  deletionVersion,
  lecturePrefix,
  ownerLecturesPrefix,
  ownerMarkKey,
  ownerMediaMarkKey,
  ownerMediaPrefix,
  ownersPrefix,
  parseChunkKey,
  parseRecordKey,
  recordKey,
  recordsPrefix,
  runMarksPrefix,
  stagePrefix,
  transientPrefix,
} from './lecture-keys.ts';
import { peekRecord } from './record-peek.ts';
import { recordUpgrades } from './schema-upgrades.ts';
import { walkLectures } from './walk-lectures.ts';

/**
 * Lectures over a blob store: numbered record versions, immutable artifacts, and the mark by which an owner's
 * lectures are listed. See lecture-keys.ts for the layout of the keys.
 */
export interface LectureStore {
  /** Writes version 1 of a record and the owner's marks, by which it and its recording are found. */
  create(record: LectureRecord): Promise<void>;
  /** As `create`. @returns false, and nothing changed, when there is or was a lecture of that id */
  createOnce(record: LectureRecord): Promise<boolean>;
  /**
   * The newest version in today's form, or null when there is none (or the lecture was deleted).
   * @throws AppError `newer_version` when a later StudyMate wrote it; `internal`, not retryable, when it is damaged
   */
  read(lectureId: string): Promise<LectureRecord | null>;
  /** Whether there was a lecture of that id, also while its deletion is not done with. */
  isDeleted(lectureId: string): Promise<boolean>;
  /**
   * Reads the newest version, applies `change` and writes the next version by exclusive create; when another
   * writer was quicker it starts anew, so `change` must be pure. Return the same object to change nothing.
   * @returns the record as it now stands, or null when there is no such lecture
   */
  update(lectureId: string, change: (record: LectureRecord) => LectureRecord): Promise<LectureRecord | null>;
  /** Ids of an owner's lectures, newest first, those older than `after`; at most `limit`. */
  listIds(owner: string, options: { after?: string; limit: number }): Promise<string[]>;
  /** Ids of the owner's other lectures whose recording has the same bytes, newest first. */
  listIdsOfSameMedia(record: LectureRecord): Promise<string[]>;
  /** Ids of every lecture of every owner, in no order. For rebuilding what Redis held. */
  listAllIds(): Promise<string[]>;
  /** Which parts of the record's current attempts lie in the store. */
  readIndex(record: LectureRecord): Promise<ArtifactIndex>;
  /** Whether marks of runs or cut sound lie in the store, which the winding up of a lecture that has ended removes. */
  hasLeftovers(lectureId: string): Promise<boolean>;
  /**
   * Removes record versions, artifacts, the owner's marks and the media. Doing it twice is no error. From the first
   * step on the lecture reads as null, for good; when the process dies half-way, the next call does the rest.
   */
  delete(lectureId: string): Promise<void>;
  /**
   * Does the rest of deletions that a dead process left half-way, and removes what late writers added to deleted
   * lectures. Walks through the whole store of lectures: for an operator's command or a rare background task.
   * @returns how many lectures there was something to remove of
   */
  finishDeletions(): Promise<number>;
}

export type { ArtifactRef };

/** Each lost round means that another writer got on, so this is reached only if something is broken. */
const maxUpdateTries = 1000;
/** Reached only where a bucket's listings lag behind. */
const maxReadTries = 30;
const maxRetryDelayMs = 20;

/** What is left of a deleted lecture, so that no late writer can bring it back. */
interface Deletion {
  schemaVersion: 1;
  deletedAt: string;
  owner: string;
  mediaKey: string;
  mediaSha256?: string;
}

/**
 * Lectures over a blob store. Every write is an exclusive create, so any number of processes may work at once.
 *
 * A deletion takes the last possible version number of the record. It is therefore the newest version for
 * everybody, whatever is still there below it or is added later.
 */
export function createLectureStore(deps: { blobs: BlobStore }): LectureStore {
  const { blobs } = deps;

  /** @returns version numbers, ascending; the deletion is one of them */
  async function listVersions(lectureId: string): Promise<number[]> {
    const keys = await blobs.list(recordsPrefix(lectureId));
    return keys.flatMap((key) => parseRecordKey(key) ?? []);
  }

  async function isDeleted(lectureId: string): Promise<boolean> {
    return (await blobs.stat(recordKey(lectureId, deletionVersion))) !== null;
  }

  /** @returns null when this version is not there */
  async function readVersion(lectureId: string, version: number): Promise<LectureRecord | null> {
    const key = recordKey(lectureId, version);
    const bytes = await blobs.read(key);
    if (!bytes) return null;
    const record = parseStored(key, bytes, lectureRecordSchema, recordUpgrades);
    if (record.id !== lectureId || record.version !== version) {
      throw new AppError('internal', `What is stored as ${key} is another record.`, { retryable: false });
    }
    return record;
  }

  async function read(lectureId: string): Promise<LectureRecord | null> {
    return (await readNewest(lectureId))?.record ?? null;
  }

  /** @returns the record with the numbers of all its versions, ascending */
  async function readNewest(lectureId: string): Promise<{ record: LectureRecord; versions: number[] } | null> {
    for (let tries = 1; tries <= maxReadTries; tries++) {
      const versions = await listVersions(lectureId);
      const newest = versions.at(-1);
      if (newest === undefined || newest === deletionVersion) return null;
      const record = await readVersion(lectureId, newest);
      // Gone between listing and reading: the lecture is being deleted, or there are many newer ones; the next listing tells.
      if (record) return { record, versions };
      await new Promise((resolve) => setTimeout(resolve, tries));
    }
    throw new AppError('storage_unavailable', `Record ${lectureId} is listed, and is not there.`);
  }

  async function create(record: LectureRecord): Promise<void> {
    const bytes = toJsonBytes(checkedRecord(record));
    if (record.version !== 1) throw new AppError('internal', 'A new record has version 1.', { retryable: false });
    // The marks first: without them nobody would ever find the record. A mark alone does no harm.
    await Promise.all([
      blobs.create(ownerMarkKey(record.owner, record.id), new Uint8Array()),
      blobs.create(ownerMediaMarkKey(record.owner, record.media.sha256, record.id), new Uint8Array()),
      ...(record.transientUntil ? [blobs.create(`${transientPrefix}${record.id}`, new Uint8Array())] : []),
    ]);
    if (await blobs.create(recordKey(record.id, 1), bytes)) return;
    const there = await blobs.read(recordKey(record.id, 1));
    // The same call, made again after its answer was lost.
    if (there && Buffer.compare(there, bytes) === 0) return;
    throw new AppError('internal', `There is already a lecture ${record.id}.`, { retryable: false });
  }

  async function createOnce(record: LectureRecord): Promise<boolean> {
    if ((await listVersions(record.id)).length > 0) return false;
    try {
      await create(record);
    } catch (error) {
      const there = await blobs.read(recordKey(record.id, 1));
      // Somebody else was quicker.
      if (there && peekRecord(record.id, there)?.media.key !== record.media.key) return false;
      throw error;
    }
    if (!(await isDeleted(record.id))) return true;
    // Its deletion came in between, and has not seen this.
    await remove(record.id);
    return false;
  }

  async function update(
    lectureId: string,
    change: (record: LectureRecord) => LectureRecord,
  ): Promise<LectureRecord | null> {
    for (let tries = 1; tries <= maxUpdateTries; tries++) {
      const found = await readNewest(lectureId);
      if (!found) return null;
      const { record: current, versions } = found;
      const changed = change(current);
      if (changed === current) return current;
      const version = current.version + 1;
      const next = checkedRecord({ ...changed, version });
      if (next.id !== lectureId || next.owner !== current.owner || version >= deletionVersion) {
        throw new AppError('internal', 'A record keeps its id and its owner.', { retryable: false });
      }
      const key = recordKey(lectureId, version);
      if (await blobs.create(key, toJsonBytes(next))) {
        const [isGone, before] = await Promise.all([
          isDeleted(lectureId),
          blobs.stat(recordKey(lectureId, current.version)),
        ]);
        if (!isGone && before) {
          await dropOldVersions(blobs, versions, (old) => recordKey(lectureId, old));
          return next;
        }
        // Nobody would see this version, but it must not stay behind either.
        await blobs.delete(key);
        if (isGone) return null;
        // So late that this number had been taken, and was dropped with the one before it.
      }
      const delayMs = Math.random() * Math.min(tries, maxRetryDelayMs);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
    throw new AppError('storage_unavailable', `Record ${lectureId} could not be written: too many writers at once.`);
  }

  async function listIds(owner: string, options: { after?: string; limit: number }): Promise<string[]> {
    const ids = (await blobs.list(ownerLecturesPrefix(owner))).map(lastPart).reverse();
    const { after } = options;
    const older = after === undefined ? ids : ids.filter((id) => id < after);
    return older.slice(0, Math.max(0, options.limit));
  }

  async function listIdsOfSameMedia({ id, owner, media }: LectureRecord): Promise<string[]> {
    const ids = (await blobs.list(ownerMediaPrefix(owner, media.sha256))).map(lastPart).reverse();
    return ids.filter((other) => other !== id);
  }

  async function listAllIds(): Promise<string[]> {
    const ids = new Set<string>();
    for await (const key of blobs.walk(ownersPrefix)) ids.add(lastPart(key));
    return [...ids];
  }

  async function readIndex(record: LectureRecord): Promise<ArtifactIndex> {
    const list = async (stage: StageName) => {
      const keys = await blobs.list(attemptPrefix(record.id, stage, record.attempts[stage] ?? 1));
      return keys.flatMap((key) => parseChunkKey(key) ?? []).sort((a, b) => a - b);
    };
    const [cutChunks, transcribedChunks] = await Promise.all([list('ingest'), list('transcribe')]);
    return { cutChunks, transcribedChunks };
  }

  async function hasLeftovers(lectureId: string): Promise<boolean> {
    for await (const _ of blobs.walk(runMarksPrefix(lectureId))) return true;
    for await (const key of blobs.walk(stagePrefix(lectureId, 'ingest'))) if (key.endsWith('.pcm')) return true;
    return false;
  }

  /** Who owns the lecture and where its media lies, from the newest version that tells. */
  async function findDeletion(lectureId: string, versions: number[]): Promise<Deletion | null> {
    for (const version of versions.toReversed()) {
      const bytes = await blobs.read(recordKey(lectureId, version));
      const record = bytes && peekRecord(lectureId, bytes);
      if (record) return toDeletion(record.owner, record.media);
    }
    return null;
  }

  async function readDeletion(lectureId: string): Promise<Deletion | null> {
    const bytes = await blobs.read(recordKey(lectureId, deletionVersion));
    if (!bytes) return null;
    try {
      return JSON.parse(Buffer.from(bytes).toString('utf8')) as Deletion;
    } catch {
      // Damaged. It must not keep the deletions of others from being finished.
      return toDeletion('', { key: '', sha256: '' });
    }
  }

  async function remove(lectureId: string): Promise<boolean> {
    const versions = await listVersions(lectureId);
    if (versions.length === 0) return false;
    let deletion = await readDeletion(lectureId);
    if (!deletion) {
      deletion = (await findDeletion(lectureId, versions)) ?? toDeletion('', { key: '', sha256: '' });
      if (!(await blobs.create(recordKey(lectureId, deletionVersion), toJsonBytes(deletion)))) {
        deletion = (await readDeletion(lectureId)) ?? deletion;
      }
    }
    // The runs' right to write first: what one writes after that, it removes itself; what it wrote before is listed.
    const marks = await blobs.list(runMarksPrefix(lectureId));
    await removeAll(marks);
    const kept = recordKey(lectureId, deletionVersion);
    const keys = (await blobs.list(lecturePrefix(lectureId))).filter((key) => key !== kept);
    await removeAll(keys);
    if (deletion.mediaKey) await blobs.delete(deletion.mediaKey);
    const { owner, mediaSha256 } = deletion;
    if (owner && mediaSha256) await blobs.delete(ownerMediaMarkKey(owner, mediaSha256, lectureId));
    // The mark last: as long as it is there, the deletion can be found and finished.
    if (owner) await blobs.delete(ownerMarkKey(owner, lectureId));
    else await removeAnyMark(lectureId);
    return marks.length + keys.length > 0;
  }

  async function removeAll(keys: string[]): Promise<void> {
    await inBatches(keys, (key) => blobs.delete(key));
  }

  async function removeAnyMark(lectureId: string): Promise<void> {
    for await (const key of blobs.walk(ownersPrefix)) if (lastPart(key) === lectureId) await blobs.delete(key);
  }

  async function finishDeletions(): Promise<number> {
    // Deletions are kept for good: those that are whole, nearly all of them, must cost nothing more than these listings.
    const deleted = new Set<string>();
    let finished = 0;
    const finish = async (lectureId: string): Promise<void> => {
      if (await remove(lectureId)) finished++;
    };
    for await (const { lectureId, versions, hasMore } of walkLectures(blobs)) {
      if (versions.at(-1) !== deletionVersion) continue;
      deleted.add(lectureId);
      if (hasMore || versions.length > 1) await finish(lectureId);
    }
    for await (const key of blobs.walk(ownersPrefix)) if (deleted.has(lastPart(key))) await finish(lastPart(key));
    return finished;
  }

  return {
    create,
    createOnce,
    isDeleted,
    read,
    update,
    listIds,
    listIdsOfSameMedia,
    listAllIds,
    readIndex,
    hasLeftovers,
    async delete(lectureId) {
      await remove(lectureId);
    },
    finishDeletions,
  };
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function toDeletion(owner: string, media: { key: string; sha256: string }): Deletion {
  const deletedAt = new Date().toISOString();
  return { schemaVersion: 1, deletedAt, owner, mediaKey: media.key, mediaSha256: media.sha256 };
}

/** What is written must be what can be read again. Throws `internal`, not retryable. */
function checkedRecord(record: LectureRecord): LectureRecord {
  const parsed = lectureRecordSchema.safeParse(record);
  if (parsed.success) return parsed.data;
  const message = `The record of lecture ${record.id} cannot be written: ${parsed.error.message.slice(0, 500)}`;
  throw new AppError('internal', message, { retryable: false, cause: parsed.error });
}
