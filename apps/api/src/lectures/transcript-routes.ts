import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { transcriptQuerySchema } from '@studymate/contracts/queries';
import type { Transcript } from '@studymate/contracts/transcript';
import {
  type EditedTranscript,
  type EditTranscript,
  editTranscriptSchema,
  restoreTranscriptSchema,
  type TranscriptVersionInfo,
  type TranscriptVersions,
  type UnplacedCorrections,
} from '@studymate/contracts/transcript-edit';
import { mostCharacters } from '@studymate/contracts/transcript-limits';
import { attemptOf } from '@studymate/queue/next-jobs';
import {
  correctedSegments,
  countChanged,
  differingIds,
  findUnplaced,
  withEdits,
} from '@studymate/speech/edited-transcript';
import { toPlainText, toSrt, toVtt } from '@studymate/speech/subtitles';
import type { CurrentText, NewEdit } from '@studymate/storage/transcript-edit-store';
import type { Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { parseRequest, readJsonBody } from '../http/json-body.ts';
import { checkVersion, sendVersioned } from '../http/versions.ts';
import type { Services } from '../services.ts';
import { createTurns } from '../turns.ts';
import { isSilent, whyMissing } from './artifact-reader.ts';
import type { LectureChanger } from './change-lecture.ts';
import { checkOwner, type LectureReader } from './lecture-reader.ts';
import { readMachineTranscript, readPartialTranscript, readTranscript } from './lecture-text.ts';
import { sendFile } from './send-file.ts';

/** All that is said in eight hours has some 500 kB. */
const maxEditBodyBytes = 2 * 1024 * 1024;
const maxRestoreBodyBytes = 1_024;

/** Of one lecture, in this process. Others are refused; each may be as large as `maxEditBodyBytes`. */
const mostEditsAtOnce = 100;
/** What a client has rounded is the same moment. */
const sameMomentSeconds = 0.01;

/** What an edit makes of the text. */
type Decide = (machine: Transcript, current: CurrentText) => Promise<Omit<NewEdit, 'changedSegments'>>;

/** /api/v1/lectures/:id/transcript, /transcript/versions, /transcript/restore, /transcript/unplaced */
export function addTranscriptRoutes(
  router: Router,
  deps: {
    services: Services;
    reader: LectureReader;
    changer: Pick<LectureChanger, 'tell'>;
    /** Told of each lecture whose text is another from now on. */
    onEdited(lectureId: string): void;
  },
): void {
  const { services, reader } = deps;
  const { artifacts, edits, publisher } = services;
  /** Each reads the whole transcript, and of two at once one would have to do so again. */
  const turns = createTurns({ most: mostEditsAtOnce });

  /**
   * Makes one more version, if anything changes.
   * @param asked ids of the segments that are answered with; those that have changed unless given
   */
  const edit = async (
    id: string,
    ifMatch: string | undefined,
    decide: Decide,
    asked?: ReadonlySet<number>,
  ): Promise<{ edited: EditedTranscript; etag: string }> => {
    const readMachine = createMachineReader(artifacts);
    let machine: Transcript = { language: null, text: '', segments: [] };
    let before: CurrentText = { changes: [], versions: [] };
    let isNew = false;
    const saved = await edits.save(id, async (record, current) => {
      const now = record.transcriptVersion ?? 0;
      checkVersion(ifMatch, now, toTextEtag(record, now));
      machine = await readMachine(record);
      before = current;
      const wanted = await decide(machine, current);
      isNew = current.damage !== undefined || !isDeepStrictEqual(wanted.changes, current.changes);
      return isNew ? { ...wanted, changedSegments: countChanged(machine, wanted.changes) } : null;
    });
    const { version, transcriptVersion = 0 } = saved.record;
    if (isNew) {
      deps.onEdited(id);
      const event = { type: 'lecture', changes: { transcriptVersion, version } } as const;
      await deps.changer.tell(id, () => publisher.publish(id, event));
    }
    // What was damaged may have differed anywhere.
    const changed = before.damage
      ? new Set(machine.segments.map((segment) => segment.id))
      : differingIds(machine, before.changes, saved.edit.changes);
    const segments = correctedSegments(machine, saved.edit.changes, asked ?? changed);
    return { edited: { version: transcriptVersion, segments }, etag: toTextEtag(saved.record, transcriptVersion) };
  };

  /** Where the recording was transcribed again since, fewer corrections of the newest version may hold. */
  const listVersions = async (record: LectureRecord): Promise<readonly TranscriptVersionInfo[]> => {
    const { changes, versions } = await edits.readCurrent(record);
    const [newest, ...earlier] = versions;
    if (newest === undefined || newest.version !== record.transcriptVersion) return versions;
    const machine = await readMachineTranscript(artifacts, record);
    return [{ ...newest, changedSegments: countChanged(machine, changes) }, ...earlier];
  };

  addRoute(router, '/api/v1/lectures/:id/transcript', {
    async get(req, res) {
      const { format, partial, version } = parseRequest(transcriptQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      // What the owner has removed is no longer there for the others.
      if (version !== undefined && version !== (record.transcriptVersion ?? 0)) checkOwner(ownerOf(res), record);
      const read = partial === 'true' ? readPartialTranscript : readTranscript;
      const transcript = await read(services, record, version);
      // What is not whole yet has no version that one could correct.
      const isWhole = !('complete' in transcript) || transcript.complete === true;
      const etag = isWhole ? toTextEtag(record, transcript.version) : null;
      if (format === 'json') {
        sendVersioned(res, transcript, etag);
        return;
      }
      if (etag !== null) res.setHeader('etag', etag);
      if (format === 'text') sendFile(res, record, 'text/plain', 'txt', toPlainText(transcript));
      else if (format === 'srt') sendFile(res, record, 'application/x-subrip', 'srt', toSrt(transcript.segments));
      else sendFile(res, record, 'text/vtt', 'vtt', toVtt(transcript.segments));
    },
    async patch(req, res) {
      // Whether one may is said before the body is read.
      const { id } = await reader.readOwn(ownerOf(res), req.params.id);
      const { segments } = await readJsonBody(req, { schema: editTranscriptSchema, maxBytes: maxEditBodyBytes });
      const decide: Decide = async (machine, { changes, damage }) => {
        if (damage) throw damage;
        checkSegments(machine, segments);
        return { changes: withEdits(machine, changes, segments) };
      };
      const asked = new Set(segments.map((segment) => segment.id));
      const { edited, etag } = await turns.take(id, () => edit(id, req.headers['if-match'], decide, asked));
      sendVersioned(res, edited, etag);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/transcript/versions', {
    async get(req, res) {
      const record = await reader.readOwn(ownerOf(res), req.params.id);
      if (!record.artifacts.assemble && !isSilent(record)) throw whyMissing(record, 'assemble');
      const versions = await listVersions(record);
      res.json({ versions: [...versions, toMachineVersion(record, versions)] } satisfies TranscriptVersions);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/transcript/restore', {
    async post(req, res) {
      const { id } = await reader.readOwn(ownerOf(res), req.params.id);
      const wanted = await readJsonBody(req, { schema: restoreTranscriptSchema, maxBytes: maxRestoreBodyBytes });
      const decide: Decide = async (_, { versions }) => {
        const restoredFrom = wanted.version;
        if (restoredFrom !== 0 && !versions.some((each) => each.version === restoredFrom)) {
          throw new AppError('not_found', 'There is no such version of the transcript.');
        }
        return { changes: (await edits.read(id, restoredFrom))?.changes ?? [], restoredFrom };
      };
      const { edited, etag } = await turns.take(id, () => edit(id, req.headers['if-match'], decide));
      sendVersioned(res, edited, etag);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/transcript/unplaced', {
    async get(req, res) {
      const record = await reader.readOwn(ownerOf(res), req.params.id);
      const machine = await readMachineTranscript(artifacts, record);
      const { changes, damage } = await edits.readCurrent(record);
      if (damage) throw damage;
      const corrections = findUnplaced(machine, changes).map(({ start, from, text }) => ({ start, from, text }));
      const version = record.transcriptVersion ?? 0;
      sendVersioned(res, { version, corrections } satisfies UnplacedCorrections, toTextEtag(record, version));
    },
    async delete(req, res) {
      const { id } = await reader.readOwn(ownerOf(res), req.params.id);
      const decide: Decide = async (machine, { changes, damage }) => {
        if (damage) throw damage;
        const unplaced = new Set(findUnplaced(machine, changes));
        return { changes: changes.filter((change) => !unplaced.has(change)), isSameText: true };
      };
      const { edited, etag } = await turns.take(id, () => edit(id, req.headers['if-match'], decide));
      sendVersioned(res, edited, etag);
    },
  });
}

/** Reads it once as long as it is the same, however often one tries to save. */
function createMachineReader(artifacts: Services['artifacts']): (record: LectureRecord) => Promise<Transcript> {
  let last: { key: string; machine: Transcript } | undefined;
  return async (record) => {
    const key = record.artifacts.assemble?.key;
    if (key !== undefined && last?.key === key) return last.machine;
    const machine = await readMachineTranscript(artifacts, record);
    if (key !== undefined) last = { key, machine };
    return machine;
  };
}

/** @throws AppError `invalid_request`; `version_mismatch` where a segment is not that of the moment which the caller means */
function checkSegments(machine: Transcript, segments: EditTranscript['segments']): void {
  for (const [i, { id, text, start, end }] of segments.entries()) {
    const segment = machine.segments[id];
    const isThere = (at: number | undefined, now: number | undefined) =>
      at === undefined || (now !== undefined && Math.abs(now - at) <= sameMomentSeconds);
    if (!isThere(start, segment?.start) || !isThere(end, segment?.end)) {
      throw new AppError(
        'version_mismatch',
        `segments.${i}: lies elsewhere by now; the recording was transcribed again`,
      );
    }
    if (!segment) throw new AppError('invalid_request', `segments.${i}.id: is no segment of this lecture`);
    const most = mostCharacters(segment);
    if (text !== null && text.length > most) {
      throw new AppError('invalid_request', `segments.${i}.text: must have at most ${most} characters, for its length`);
    }
  }
}

/** The version of the text, and which hearing of the recording it corrects: segments of another lie elsewhere. */
function toTextEtag(record: LectureRecord, version: number): string {
  return `"${version}-${attemptOf(record, 'assemble')}"`;
}

/** Older than the versions that correct it, also where it was transcribed again since. */
function toMachineVersion(
  { artifacts: { assemble }, createdAt }: LectureRecord,
  versions: readonly TranscriptVersionInfo[],
): TranscriptVersionInfo {
  const madeMs = assemble && Date.parse(assemble.startedAt) + assemble.seconds * 1_000;
  const made = madeMs === undefined ? createdAt : new Date(madeMs).toISOString();
  const times = [made, ...versions.map((version) => version.createdAt)].sort();
  return { version: 0, createdAt: times[0] ?? made, changedSegments: 0 };
}
