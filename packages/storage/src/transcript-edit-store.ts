import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import {
  maxEditBytes,
  maxTranscriptVersions,
  type SegmentChange,
  type TranscriptEdit,
  type TranscriptVersionInfo,
  transcriptEditSchema,
} from '@studymate/contracts/transcript-edit';
import { parseStored, toJsonBytes } from './artifacts.ts';
import type { BlobStore } from './blob-store.ts';
import { parseTranscriptEditKey, transcriptEditKey, transcriptEditsPrefix } from './lecture-keys.ts';
import type { LectureStore } from './lecture-store.ts';
import { transcriptEditUpgrades } from './schema-upgrades.ts';

/** What people have corrected in transcripts: immutable versions beside the machine's text, of which the record names one. */
export interface TranscriptEditStore {
  /**
   * A version of the text; null for 0, the machine's.
   * @throws AppError `internal`, not retryable, when it is damaged or not there
   */
  read(lectureId: string, version: number): Promise<TranscriptEdit | null>;
  /** The text that a record names, and what can be restored. */
  readCurrent(record: Pick<LectureRecord, 'id' | 'transcriptVersion'>): Promise<CurrentText>;
  /**
   * Makes one more version of what `decide` says, and has the record name it. Where another was quicker, it is decided anew.
   * @param decide told of the record and the text that it names; null changes nothing
   * @returns the record as it now stands, and what its text is
   * @throws AppError `not_found` when there is no such lecture; `limit_reached` beyond `maxEditBytes`; `too_many_requests`
   *   when others were always quicker; what `decide` throws
   */
  save(
    lectureId: string,
    decide: (record: LectureRecord, current: CurrentText) => Promise<NewEdit | null>,
  ): Promise<{ record: LectureRecord; edit: CurrentText }>;
}

/** The text that a record names. */
export interface CurrentText {
  /** What differs from the machine's text; nothing is known of it where it is damaged. */
  changes: readonly SegmentChange[];
  /** Those that can be restored, newest first, without the machine's. */
  versions: readonly TranscriptVersionInfo[];
  /** Why it cannot be read. */
  damage?: AppError;
}

export interface NewEdit {
  changes: readonly SegmentChange[];
  changedSegments: number;
  restoredFrom?: number;
  /** Nothing that is shown changes: what was made of the text is as new as before. */
  isSameText?: boolean;
}

/** Each lost round means that another writer got on. */
const maxTries = 100;
const maxRetryDelayMs = 20;
/** A save lasts milliseconds; what is older is no longer on its way to be named, or withdrawn. */
const settledAfterMs = 60_000;

/**
 * A version is written by exclusive create before the record names it, so readers never miss one. What a process that died in
 * between has left is a number that nobody names: the next version takes the next free one, and removes it.
 */
export function createTranscriptEditStore(deps: {
  blobs: BlobStore;
  lectures: Pick<LectureStore, 'read' | 'update'>;
}): TranscriptEditStore {
  const { blobs, lectures } = deps;

  const read: TranscriptEditStore['read'] = async (lectureId, version) => {
    if (version === 0) return null;
    const key = transcriptEditKey(lectureId, version);
    const bytes = await blobs.read(key);
    if (!bytes) throw new AppError('internal', `${key} is named but not there.`, { retryable: false });
    return parseStored(key, bytes, transcriptEditSchema, transcriptEditUpgrades);
  };

  /** The error when it is damaged. */
  const readOrDamage = (lectureId: string, version: number): Promise<TranscriptEdit | null | AppError> =>
    read(lectureId, version).catch((error) => {
      if (error instanceof AppError && error.code === 'internal') return error;
      throw error;
    });

  const listNumbers = async (lectureId: string): Promise<number[]> =>
    (await blobs.list(transcriptEditsPrefix(lectureId))).flatMap((key) => parseTranscriptEditKey(key) ?? []);

  /**
   * The versions beside the one that should tell of them: that is damaged, or (0) the record names none although some are
   * there, because a StudyMate that knew nothing of corrections wrote it.
   */
  const findOthers = async (lectureId: string, named: number): Promise<TranscriptVersionInfo[]> => {
    for (const version of (await listNumbers(lectureId)).reverse()) {
      const edit = version === named ? null : await readOrDamage(lectureId, version);
      if (!edit || edit instanceof AppError) continue;
      // One above may just be on its way to be named; those that it tells of were.
      const ageMs = Date.now() - Date.parse(edit.versions[0]?.createdAt ?? '');
      const isSettled = version < named || ageMs > settledAfterMs;
      return edit.versions.slice(isSettled ? 0 : 1).filter((each) => each.version !== named);
    }
    return [];
  };

  const readCurrent: TranscriptEditStore['readCurrent'] = async ({ id, transcriptVersion = 0 }) => {
    const newest = await readOrDamage(id, transcriptVersion);
    if (newest && !(newest instanceof AppError)) return newest;
    const current: CurrentText = { changes: [], versions: await findOthers(id, transcriptVersion) };
    return newest ? { ...current, damage: newest } : current;
  };

  /** Writes what follows the current text under the next free number. */
  const write = async (record: LectureRecord, current: CurrentText, edit: NewEdit) => {
    const { changedSegments, restoredFrom } = edit;
    for (let version = (record.transcriptVersion ?? 0) + 1; ; version++) {
      const info: TranscriptVersionInfo = {
        version,
        createdAt: new Date().toISOString(),
        changedSegments,
        ...(restoredFrom !== undefined && { restoredFrom }),
      };
      const versions = [info, ...current.versions].slice(0, maxTranscriptVersions);
      const written: TranscriptEdit = { schemaVersion: 1, changes: [...edit.changes], versions };
      const bytes = toJsonBytes(written);
      if (bytes.length > maxEditBytes) {
        throw new AppError('limit_reached', `The corrections of a transcript may have ${maxEditBytes} bytes.`);
      }
      if (await blobs.create(transcriptEditKey(record.id, version), bytes)) return { version, written };
    }
  };

  /**
   * What can no longer be restored and is read by no study stage goes, and what dead processes have left. Of a number that
   * the versions do not tell of, nothing else is known: it stays.
   * @param before the version that was named until now; 0: none
   */
  const prune = async (record: LectureRecord, before: number, { versions }: TranscriptEdit): Promise<void> => {
    const kept = new Set([...versions.map(({ version }) => version), ...Object.values(record.studiedVersions ?? {})]);
    const newest = versions[0]?.version ?? 0;
    const oldest = versions.length < maxTranscriptVersions ? 0 : (versions.at(-1)?.version ?? 0);
    const isLeft = (version: number) => before > 0 && version > before && version < newest;
    for (const version of await listNumbers(record.id)) {
      if ((version < oldest || isLeft(version)) && !kept.has(version)) {
        await blobs.delete(transcriptEditKey(record.id, version));
      }
    }
  };

  return {
    read,
    readCurrent,
    async save(lectureId, decide) {
      const gone = () => new AppError('not_found', 'There is no such lecture.');
      for (let tries = 1; tries <= maxTries; tries++) {
        const record = await lectures.read(lectureId);
        if (!record) throw gone();
        const { transcriptVersion = 0 } = record;
        const current = await readCurrent(record);
        const edit = await decide(record, current);
        if (!edit) return { record, edit: current };
        const { version, written } = await write(record, current, edit);
        // Decided on this text: another one, of people or of the machine, is looked at anew.
        const isSame = (now: LectureRecord) =>
          (now.transcriptVersion ?? 0) === transcriptVersion &&
          now.artifacts.assemble?.key === record.artifacts.assemble?.key;
        const updated = await lectures.update(lectureId, (now) =>
          isSame(now) ? { ...now, ...(edit.isSameText && toFollowing(now, version)), transcriptVersion: version } : now,
        );
        if (updated?.transcriptVersion === version) {
          // The version counts; what is left over goes with the next one.
          await prune(updated, transcriptVersion, written).catch(() => {});
          return { record: updated, edit: written };
        }
        await blobs.delete(transcriptEditKey(lectureId, version));
        if (!updated) throw gone();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(tries, maxRetryDelayMs)));
      }
      throw new AppError('too_many_requests', 'Too many correct this transcript at once.', {
        details: { retryAfterSeconds: 1 },
      });
    },
  };
}

/** What was made of the text so far counts as made of the version that takes its place. */
function toFollowing({ transcriptVersion, studiedVersions }: LectureRecord, version: number) {
  if (studiedVersions === undefined) return {};
  const entries = Object.entries(studiedVersions).map(([stage, of]) => [
    stage,
    of === transcriptVersion ? version : of,
  ]);
  return { studiedVersions: Object.fromEntries(entries) as LectureRecord['studiedVersions'] };
}
