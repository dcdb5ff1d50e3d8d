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
  /**
   * Makes one more version of what `decide` says, and has the record name it. Where another was quicker, it is decided anew.
   * @param decide told of the record and its newest version (null: the machine's); null changes nothing
   * @returns the record as it now stands, and its version
   * @throws AppError `not_found` when there is no such lecture; `limit_reached` beyond `maxEditBytes`; what `decide` throws
   */
  save(
    lectureId: string,
    decide: (record: LectureRecord, newest: TranscriptEdit | null) => Promise<NewEdit | null>,
  ): Promise<{ record: LectureRecord; edit: TranscriptEdit | null }>;
}

export interface NewEdit {
  changes: readonly SegmentChange[];
  changedSegments: number;
  restoredFrom?: number;
}

/** Each lost round means that another writer got on. */
const maxTries = 100;
const maxRetryDelayMs = 20;

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

  /** Writes what follows `newest` under the next free number. */
  const write = async (record: LectureRecord, newest: TranscriptEdit | null, edit: NewEdit) => {
    const { changedSegments, restoredFrom } = edit;
    for (let version = (record.transcriptVersion ?? 0) + 1; ; version++) {
      const info: TranscriptVersionInfo = {
        version,
        createdAt: new Date().toISOString(),
        changedSegments,
        ...(restoredFrom !== undefined && { restoredFrom }),
      };
      const versions = [info, ...(newest?.versions ?? [])].slice(0, maxTranscriptVersions);
      const written: TranscriptEdit = { schemaVersion: 1, changes: [...edit.changes], versions };
      const bytes = toJsonBytes(written);
      if (bytes.length > maxEditBytes) {
        throw new AppError('limit_reached', `The corrections of a transcript may have ${maxEditBytes} bytes.`);
      }
      if (await blobs.create(transcriptEditKey(record.id, version), bytes)) return { version, written };
    }
  };

  /** What can neither be restored nor is read by a study stage goes, also what dead processes have left. */
  const prune = async (record: LectureRecord, { versions }: TranscriptEdit): Promise<void> => {
    const kept = new Set([...versions.map(({ version }) => version), ...Object.values(record.studiedVersions ?? {})]);
    const newest = versions[0]?.version ?? 0;
    for (const key of await blobs.list(transcriptEditsPrefix(record.id))) {
      const version = parseTranscriptEditKey(key) ?? newest;
      if (version < newest && !kept.has(version)) await blobs.delete(key);
    }
  };

  return {
    read,
    async save(lectureId, decide) {
      const gone = () => new AppError('not_found', 'There is no such lecture.');
      for (let tries = 1; tries <= maxTries; tries++) {
        const record = await lectures.read(lectureId);
        if (!record) throw gone();
        const { transcriptVersion = 0 } = record;
        const newest = await read(lectureId, transcriptVersion);
        const edit = await decide(record, newest);
        if (!edit) return { record, edit: newest };
        const { version, written } = await write(record, newest, edit);
        // Decided on this text: another one, of people or of the machine, is looked at anew.
        const isSame = (current: LectureRecord) =>
          (current.transcriptVersion ?? 0) === transcriptVersion &&
          current.artifacts.assemble?.key === record.artifacts.assemble?.key;
        const updated = await lectures.update(lectureId, (current) =>
          isSame(current) ? { ...current, transcriptVersion: version } : current,
        );
        if (updated?.transcriptVersion === version) {
          // The version counts; what is left over goes with the next one.
          await prune(updated, written).catch(() => {});
          return { record: updated, edit: written };
        }
        await blobs.delete(transcriptEditKey(lectureId, version));
        if (!updated) throw gone();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(tries, maxRetryDelayMs)));
      }
      throw new AppError('storage_unavailable', 'The corrections could not be written: too many writers at once.');
    },
  };
}
