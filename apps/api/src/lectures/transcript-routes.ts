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
  type SegmentChange,
  type TranscriptEdit,
  type TranscriptVersionInfo,
  type TranscriptVersions,
} from '@studymate/contracts/transcript-edit';
import {
  correctedSegments,
  countChanged,
  differingIds,
  mostCharacters,
  withEdits,
} from '@studymate/speech/edited-transcript';
import { toPlainText, toSrt, toVtt } from '@studymate/speech/subtitles';
import type { Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { parseRequest, readJsonBody } from '../http/json-body.ts';
import { checkVersion, sendVersioned, toEtag } from '../http/versions.ts';
import type { Services } from '../services.ts';
import type { LectureChanger } from './change-lecture.ts';
import type { LectureReader } from './lecture-reader.ts';
import { readMachineTranscript, readPartialTranscript, readTranscript } from './lecture-text.ts';
import { sendFile } from './send-file.ts';

/** All that is said in eight hours has some 500 kB. */
const maxEditBodyBytes = 2 * 1024 * 1024;
const maxRestoreBodyBytes = 1_024;

/** What an edit makes of the text. `newest`: null for the machine's. */
type Decide = (
  machine: Transcript,
  newest: TranscriptEdit | null,
) => Promise<{ changes: readonly SegmentChange[]; restoredFrom?: number }>;

/** /api/v1/lectures/:id/transcript, /transcript/versions, /transcript/restore */
export function addTranscriptRoutes(
  router: Router,
  deps: { services: Services; reader: LectureReader; changer: Pick<LectureChanger, 'tell'> },
): void {
  const { services, reader } = deps;
  const { artifacts, edits, publisher } = services;

  /**
   * Makes one more version, if anything changes.
   * @param asked ids of the segments that are answered with; those that have changed unless given
   */
  const edit = async (
    id: string,
    ifMatch: string | undefined,
    decide: Decide,
    asked?: ReadonlySet<number>,
  ): Promise<EditedTranscript> => {
    let machine: Transcript = { language: null, text: '', segments: [] };
    let before: readonly SegmentChange[] = [];
    let isNew = false;
    const saved = await edits.save(id, async (record, newest) => {
      checkVersion(ifMatch, record.transcriptVersion ?? 0);
      machine = await readMachineTranscript(artifacts, record);
      before = newest?.changes ?? [];
      const wanted = await decide(machine, newest);
      isNew = !isDeepStrictEqual(wanted.changes, before);
      return isNew ? { ...wanted, changedSegments: countChanged(machine, wanted.changes) } : null;
    });
    const { version, transcriptVersion = 0 } = saved.record;
    if (isNew) {
      const event = { type: 'lecture', changes: { transcriptVersion, version } } as const;
      await deps.changer.tell(id, () => publisher.publish(id, event));
    }
    const after = saved.edit?.changes ?? [];
    const ids = asked ?? differingIds(machine, before, after);
    return { version: transcriptVersion, segments: correctedSegments(machine, after, ids) };
  };

  addRoute(router, '/api/v1/lectures/:id/transcript', {
    async get(req, res) {
      const { format, partial, version } = parseRequest(transcriptQuerySchema, req.query);
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      const read = partial === 'true' ? readPartialTranscript : readTranscript;
      const transcript = await read(services, record, version);
      if (format === 'json') {
        sendVersioned(res, transcript);
        return;
      }
      res.setHeader('etag', toEtag(transcript.version));
      if (format === 'text') sendFile(res, record, 'text/plain', 'txt', toPlainText(transcript));
      else if (format === 'srt') sendFile(res, record, 'application/x-subrip', 'srt', toSrt(transcript.segments));
      else sendFile(res, record, 'text/vtt', 'vtt', toVtt(transcript.segments));
    },
    async patch(req, res) {
      // Whether one may is said before the body is read.
      const { id } = await reader.readOwn(ownerOf(res), req.params.id);
      const { segments } = await readJsonBody(req, { schema: editTranscriptSchema, maxBytes: maxEditBodyBytes });
      const decide: Decide = async (machine, newest) => {
        checkSegments(machine, segments);
        return { changes: withEdits(machine, newest?.changes ?? [], segments) };
      };
      const asked = new Set(segments.map((segment) => segment.id));
      sendVersioned(res, await edit(id, req.headers['if-match'], decide, asked));
    },
  });

  addRoute(router, '/api/v1/lectures/:id/transcript/versions', {
    async get(req, res) {
      const record = await reader.readRecord(ownerOf(res), req.params.id);
      const machine = await readMachineTranscript(artifacts, record);
      const edit = await edits.read(record.id, record.transcriptVersion ?? 0);
      const [newest, ...earlier] = edit?.versions ?? [];
      const versions = [...earlier, toMachineVersion(record)];
      // Where the recording was transcribed again since, fewer may hold.
      if (newest) versions.unshift({ ...newest, changedSegments: countChanged(machine, edit?.changes ?? []) });
      res.json({ versions } satisfies TranscriptVersions);
    },
  });

  addRoute(router, '/api/v1/lectures/:id/transcript/restore', {
    async post(req, res) {
      const { id } = await reader.readOwn(ownerOf(res), req.params.id);
      const wanted = await readJsonBody(req, { schema: restoreTranscriptSchema, maxBytes: maxRestoreBodyBytes });
      const edited = await edit(id, req.headers['if-match'], async (_, newest) => {
        const restoredFrom = wanted.version;
        if (restoredFrom !== 0 && !newest?.versions.some((each) => each.version === restoredFrom)) {
          throw new AppError('not_found', 'There is no such version of the transcript.');
        }
        return { changes: (await edits.read(id, restoredFrom))?.changes ?? [], restoredFrom };
      });
      sendVersioned(res, edited);
    },
  });
}

/** @throws AppError `invalid_request` */
function checkSegments(machine: Transcript, segments: EditTranscript['segments']): void {
  for (const [i, { id, text }] of segments.entries()) {
    const segment = machine.segments[id];
    if (!segment) throw new AppError('invalid_request', `segments.${i}.id: is no segment of this lecture`);
    const most = mostCharacters(segment);
    if (text !== null && text.length > most) {
      throw new AppError('invalid_request', `segments.${i}.text: must have at most ${most} characters, for its length`);
    }
  }
}

function toMachineVersion({ artifacts: { assemble }, createdAt }: LectureRecord): TranscriptVersionInfo {
  const madeMs = assemble && Date.parse(assemble.startedAt) + assemble.seconds * 1_000;
  const made = madeMs === undefined ? createdAt : new Date(madeMs).toISOString();
  return { version: 0, createdAt: made, changedSegments: 0 };
}
