import { createHash } from 'node:crypto';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { BlobStore } from '@studymate/storage/blob-store';
import type { Claims } from '@studymate/storage/claims';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import { toKeyMismatch } from '../http/idempotency-key.ts';
import { uploadGone } from '../uploads/tus-errors.ts';
import type { LectureReader } from './lecture-reader.ts';
import { keepRecord } from './new-lecture.ts';
import type { Submitter } from './submit.ts';

export interface CreateOptions {
  /** Asked for under this key before, it is the same lecture, whatever has become of it. */
  idempotencyKey?: string | undefined;
  /** A new lecture, also when there is an equal one. Without meaning where there is a key. */
  isFresh?: boolean;
  /** The caller looks after media that no lecture has in the end; it has chosen the record's id, maybe in an earlier try. */
  keepsMedia?: boolean;
}

export interface CreatedLecture {
  record: LectureRecord;
  /** Made now; otherwise by an earlier request with the same key, or with the same content and fields. */
  isNew: boolean;
}

export interface LectureCreator {
  /**
   * Keeps a lecture and queues it, or finds the one that is meant; then the record's media are removed.
   * @param record its first version; its media lie in the store, and unless they are kept nothing of them is left when
   *   this throws
   * @throws AppError `idempotency_mismatch`; `not_found` when the key's lecture was deleted; `upload_gone` when the
   *   record's own id is that of a deleted lecture
   */
  create(record: LectureRecord, options: CreateOptions): Promise<CreatedLecture>;
}

/** So many lectures with the same recording are looked at, the newest first. */
const maxLookedAt = 20;
/** Of what lectures are kept for: who sends a recording anew shall not find one that is about to be deleted. */
const equalShareOfLife = 0.75;
const dayMs = 86_400_000;
/** Each is one that failed, was cancelled or was deleted within a day. */
const maxPredecessors = 100;

export function createLectureCreator(deps: {
  lectures: LectureStore;
  blobs: BlobStore;
  claims: Claims;
  reader: Pick<LectureReader, 'toView'>;
  submitter: Pick<Submitter, 'submit'>;
  /** 0: lectures are kept for ever. */
  retentionDays: number;
}): LectureCreator {
  const { lectures, blobs, claims, reader, submitter, retentionDays } = deps;

  /** Makes the lecture under the id of a claim, unless somebody has. @returns null when it was deleted */
  const createUnder = async (id: string, wanted: LectureRecord): Promise<CreatedLecture | null> => {
    const record = { ...wanted, id };
    if (await lectures.createOnce(record)) return { record, isNew: true };
    const known = await lectures.read(id);
    return known && { record: known, isNew: false };
  };

  /** A failed or cancelled one is no reason not to try again. */
  const counts = async (record: LectureRecord): Promise<boolean> => {
    if (record.transientUntil !== undefined) return false;
    const ageMs = Date.now() - Date.parse(record.createdAt);
    if (retentionDays > 0 && ageMs > equalShareOfLife * retentionDays * dayMs) return false;
    const { status } = await reader.toView(record);
    return status !== 'failed' && status !== 'cancelled';
  };

  const findEqual = async (wanted: LectureRecord, fingerprint: string): Promise<LectureRecord | null> => {
    for (const id of (await lectures.listIdsOfSameMedia(wanted)).slice(0, maxLookedAt)) {
      const record = await readUnlessDamaged(lectures, id);
      if (record && record.owner === wanted.owner && toFingerprint(record) === fingerprint && (await counts(record))) {
        return record;
      }
    }
    return null;
  };

  const createByKey = async (wanted: LectureRecord, fingerprint: string, key: string): Promise<CreatedLecture> => {
    const claim = await claims.claim(wanted.owner, `key ${key}`, { id: wanted.id, fingerprint });
    if (claim.fingerprint !== fingerprint) throw toKeyMismatch();
    const made = await createUnder(claim.id, wanted);
    if (!made) throw new AppError('not_found', 'The lecture that was made under this Idempotency-Key was deleted.');
    return made;
  };

  const keep = async (wanted: LectureRecord, { keepsMedia }: CreateOptions): Promise<CreatedLecture> => {
    if (keepsMedia) {
      const made = await createUnder(wanted.id, wanted);
      if (!made) throw uploadGone();
      return made;
    }
    await keepRecord(deps, wanted);
    return { record: wanted, isNew: true };
  };

  const createByContent = async (
    wanted: LectureRecord,
    fingerprint: string,
    options: CreateOptions,
  ): Promise<CreatedLecture> => {
    const equal = await findEqual(wanted, fingerprint);
    if (equal) return { record: equal, isNew: false };
    // None is there, so of all that ask at this moment one makes it. What was made so and ended badly has a successor.
    let predecessor = '';
    for (let tries = 0; tries < maxPredecessors; tries++) {
      const claim = await claims.claim(wanted.owner, `content ${fingerprint} ${predecessor}`, {
        id: wanted.id,
        fingerprint,
      });
      const made = await createUnder(claim.id, wanted);
      if (made?.isNew) return made;
      if (made && toFingerprint(made.record) === fingerprint && (await counts(made.record))) return made;
      if (!made && claim.id === wanted.id) throw uploadGone();
      predecessor = claim.id;
    }
    return keep(wanted, options);
  };

  const make = async (wanted: LectureRecord, options: CreateOptions): Promise<CreatedLecture> => {
    const { idempotencyKey, isFresh } = options;
    const fingerprint = toFingerprint(wanted);
    if (idempotencyKey !== undefined) return await createByKey(wanted, fingerprint, idempotencyKey);
    if (!isFresh) return await createByContent(wanted, fingerprint, options);
    return await keep(wanted, options);
  };

  /** Whether the media are a lecture's after all; what cannot be known is left to the collection of orphans. */
  const isTaken = async (wanted: LectureRecord): Promise<boolean> => {
    for (const id of [wanted.id, ...(await lectures.listIdsOfSameMedia(wanted))]) {
      if ((await lectures.read(id))?.media.key === wanted.media.key) return true;
    }
    return false;
  };

  return {
    async create(wanted, options) {
      let created: CreatedLecture;
      try {
        created = await make(wanted, options);
      } catch (error) {
        if (!options.keepsMedia && !(await isTaken(wanted).catch(() => true)))
          await blobs.delete(wanted.media.key).catch(() => {});
        throw error;
      }
      // Whoever made one that is found may have died before it was queued; queueing it again changes nothing.
      if (created.record.version === 1) await submitter.submit(created.record);
      if (!created.isNew && !options.keepsMedia) await blobs.delete(wanted.media.key);
      return created;
    },
  };
}

/** What two lectures of one owner have in common that are the same: the recording, and all that was asked for with it. */
function toFingerprint({ media, title, courseId, requestedLanguage, recognition, callbackUrl }: LectureRecord): string {
  const { sha256, bytes } = media;
  const what = ['lecture', sha256, bytes, title, courseId, requestedLanguage, recognition?.glossary ?? [], callbackUrl];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}
