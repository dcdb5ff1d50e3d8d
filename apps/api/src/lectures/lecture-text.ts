import { chunkSchema, transcribedChunkSchema, transcriptArtifactSchema } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { PartialTranscript, Segment, Transcript, VersionedTranscript } from '@studymate/contracts/transcript';
import type { Logger } from '@studymate/observability/logger';
import { attemptOf } from '@studymate/queue/next-jobs';
import { assembleTranscript } from '@studymate/speech/assemble';
import { applyChanges } from '@studymate/speech/edited-transcript';
import type { Artifacts } from '@studymate/storage/artifacts';
import { inBatches } from '@studymate/storage/in-batches';
import { chunkKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { readUnlessDamaged } from '@studymate/storage/read-unless-damaged';
import type { TranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { isSilent, readStageContent } from './artifact-reader.ts';

/** Where the text of lectures lies: the machine's, and what people have corrected in it. */
export interface TextStores {
  artifacts: Artifacts;
  edits: Pick<TranscriptEditStore, 'read' | 'readCurrent'>;
}

/** The text of one chunk, numbered from `from`; null when it is not (or no longer) there. */
export async function readChunkText(
  artifacts: Artifacts,
  place: { lectureId: string; attempt: number; chunk: number; from: number },
): Promise<Segment[] | null> {
  const key = transcribedChunkKey(place.lectureId, place.attempt, place.chunk);
  const chunk = await artifacts.readArtifact(key, transcribedChunkSchema);
  return chunk?.segments.map((segment, i) => ({ ...segment, id: place.from + i })) ?? null;
}

/**
 * All the text that there is, in order and without gaps; as the machine has heard it where the corrections are damaged.
 * @param announced how many chunks the event stream has told of; later ones are left for their own events. null:
 *   the stream knows nothing, take what is in the store
 */
export async function readTextSoFar(
  deps: TextStores & { lectures: LectureStore; logger: Pick<Logger, 'warn'> },
  record: LectureRecord,
  announced: number | null,
): Promise<Segment[]> {
  const pinned = record.artifacts.assemble;
  if (pinned) {
    const machine = await deps.artifacts.readArtifact(pinned.key, transcriptArtifactSchema);
    return machine ? (await correctUnlessDamaged(deps, record, machine.content)).segments : [];
  }
  const attempt = attemptOf(record, 'transcribe');
  const there = new Set((await deps.lectures.readIndex(record)).transcribedChunks);
  const segments: Segment[] = [];
  for (let chunk = 0; there.has(chunk) && (announced === null || chunk < announced); chunk++) {
    const text = await readChunkText(deps.artifacts, { lectureId: record.id, attempt, chunk, from: segments.length });
    if (!text) break;
    for (const segment of text) segments.push(segment);
  }
  return segments;
}

/** As the machine has heard it. @throws AppError `not_ready`, `stage_failed` or `lecture_cancelled` while it is not whole */
export async function readMachineTranscript(artifacts: Artifacts, record: LectureRecord): Promise<Transcript> {
  if (!record.artifacts.assemble && isSilent(record)) return { language: null, text: '', segments: [] };
  return readStageContent(artifacts, record, 'assemble', transcriptArtifactSchema);
}

/**
 * The transcript as people have corrected it: what everything shows and exports.
 * @param version the newest unless given
 * @throws AppError as `readMachineTranscript`; `not_found` for a version that there is not, or not any more
 */
export async function readTranscript(
  deps: TextStores,
  record: LectureRecord,
  version?: number,
): Promise<VersionedTranscript> {
  return toVersion(deps, record, await readMachineTranscript(deps.artifacts, record), version);
}

/** The newest text, or the machine's where nobody can tell what was corrected: for what must go on in any case. */
export async function correctUnlessDamaged(
  deps: { edits: Pick<TranscriptEditStore, 'read'>; logger: Pick<Logger, 'warn'> },
  record: LectureRecord,
  machine: Transcript,
): Promise<Transcript> {
  const { id, transcriptVersion = 0 } = record;
  const edit = await readUnlessDamaged({ read: () => deps.edits.read(id, transcriptVersion) }, id, (error) =>
    deps.logger.warn({ err: error, lectureId: id }, 'corrections cannot be read; the text is the machine’s'),
  );
  return edit ? applyChanges(machine, edit.changes) : machine;
}

async function toVersion(
  { edits }: TextStores,
  record: LectureRecord,
  machine: Transcript,
  version = record.transcriptVersion ?? 0,
): Promise<VersionedTranscript> {
  if (version === 0) return { ...machine, version };
  if (version !== record.transcriptVersion) {
    const { versions } = await edits.readCurrent(record);
    if (!versions.some((each) => each.version === version)) {
      throw new AppError('not_found', 'There is no such version of the transcript.');
    }
  }
  const edit = await edits.read(record.id, version);
  return { ...applyChanges(machine, edit?.changes ?? []), version };
}

/** All the text that lies in the store, also behind chunks that have none, and where those are. */
export async function readPartialTranscript(
  deps: TextStores & { lectures: LectureStore },
  record: LectureRecord,
  version?: number,
): Promise<PartialTranscript> {
  const { artifacts, lectures } = deps;
  if (record.artifacts.assemble || isSilent(record)) {
    return { ...(await readTranscript(deps, record, version)), complete: true, gaps: [] };
  }
  // People correct what is whole.
  if (version) throw new AppError('not_found', 'There is no such version of what is transcribed so far.');
  const { cutChunks, transcribedChunks } = await lectures.readIndex(record);
  const attempt = attemptOf(record, 'transcribe');
  const chunks = await readEach(transcribedChunks, (chunk) =>
    artifacts.readArtifact(transcribedChunkKey(record.id, attempt, chunk), transcribedChunkSchema),
  );
  const there = new Set(chunks.map((chunk) => chunk.index));
  const missing = await readEach(
    cutChunks.filter((chunk) => !there.has(chunk)),
    (chunk) => artifacts.readArtifact(chunkKey(record.id, attemptOf(record, 'ingest'), chunk), chunkSchema),
  );
  const gaps = missing.map(({ windows }) => ({ start: windows[0]?.start ?? 0, end: windows.at(-1)?.end ?? 0 }));
  return { ...assembleTranscript(chunks), version: 0, complete: false, gaps };
}

/** Reads a few at a time, in order; what is not there (any more) is left out. */
async function readEach<T>(numbers: readonly number[], read: (number: number) => Promise<T | null>): Promise<T[]> {
  return (await inBatches(numbers, read)).filter((each) => each !== null);
}
