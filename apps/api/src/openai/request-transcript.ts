import { transcribedChunkSchema } from '@studymate/contracts/artifacts';
import { AppError, isErrorCode } from '@studymate/contracts/errors';
import type { LectureRecord, Recognition } from '@studymate/contracts/lecture-record';
import { transcribeSegmentsResponseSchema } from '@studymate/contracts/requests';
import { pathStageNames, studyStageNames } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';
import { attemptOf, hasFailed } from '@studymate/queue/next-jobs';
import { isUnspacedLanguage } from '@studymate/speech/languages';
import type { WrittenBlob } from '@studymate/storage/blob-store';
import { transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { Admission } from '../admission.ts';
import type { ReceivedFile } from '../http/multipart.ts';
import type { SseWriter } from '../http/sse.ts';
import type { LectureChanger } from '../lectures/change-lecture.ts';
import type { EventStreams } from '../lectures/event-streams.ts';
import { readMachineTranscript } from '../lectures/lecture-text.ts';
import { keepRecord, toNewRecord } from '../lectures/new-lecture.ts';
import type { Submitter } from '../lectures/submit.ts';
import type { Services } from '../services.ts';
import type { AudioResult } from './audio-answer.ts';

export interface TranscriptRequest {
  owner: string;
  /** Where the file lies; it is taken over, whatever comes of it. */
  mediaKey: string;
  file: ReceivedFile<WrittenBlob>;
  language: string | null;
  recognition: Recognition;
  /** Fires when nobody waits any more; the work ends. */
  signal: AbortSignal;
  listener: TranscriptListener;
}

export interface TranscriptListener {
  /** New text, in order. */
  onSegments(segments: Segment[], language: string | null): Promise<void>;
  /** Called now and then while nothing comes. */
  onQuiet(): void;
}

export interface TranscriptCall {
  owner: string;
  /** Whether the body is small enough for a clip. Of any other it is asked before its first byte whether there is room. */
  maybeClip: boolean;
  /** Takes the body in. What it throws has left nothing behind. */
  receive(): Promise<TranscriptRequest>;
}

/** Waits for the transcript of a file, however long it is. */
export interface TranscriptRequests {
  /** @throws AppError what the file or the queue is refused for; `cancelled`; `unavailable` when this copy stops */
  transcribe(call: TranscriptCall): Promise<AudioResult>;
}

/** Most clips of a minute or less are smaller: they are tried as clips first, which is quicker. */
export const maxQuickBytes = 2 * 1024 * 1024;
const clipTimeoutMs = 120_000;
/** No request lasts so long. */
const longestMs = 24 * 60 * 60_000;
/** A caller that lost its answer asks again: what was made for it until then is taken over. */
const keepMs = 15 * 60_000;

export function createTranscriptRequests(deps: {
  services: Services;
  admission: Admission;
  submitter: Submitter;
  streams: EventStreams;
  changer: LectureChanger;
}): TranscriptRequests {
  const { services, admission, submitter, streams, changer } = deps;
  const { lectures, blobs, artifacts, quick } = services;

  /** @returns null when the recording is too long for a clip */
  const asClip = async (request: TranscriptRequest): Promise<AudioResult | null> => {
    if (request.file.bytes > maxQuickBytes) return null;
    const { mediaKey: clipKey, language, recognition, signal } = request;
    const call = () =>
      quick.call(
        { kind: 'transcribe', clipKey, language, recognition, withSegments: true },
        { timeoutMs: clipTimeoutMs, signal },
      );
    try {
      const answer = transcribeSegmentsResponseSchema.parse(await admission.quick(request.owner, call));
      const { text, durationSeconds, segments, decodings } = answer;
      if (segments.length > 0) await request.listener.onSegments(segments, answer.language);
      return { task: toTask(recognition), language: answer.language, durationSeconds, text, segments, decodings };
    } catch (error) {
      if (error instanceof AppError && error.code === 'media_too_long') return null;
      throw error;
    }
  };

  /**
   * Makes a lecture of it that nobody sees. It keeps the recording, and takes it along when it is removed. Not while there is
   * no worker: the caller would wait for hours.
   */
  const begin = async (request: TranscriptRequest): Promise<LectureRecord> => {
    const { owner, mediaKey, file, language, recognition, signal } = request;
    try {
      await quick.untilWorker('speech', signal);
    } catch (error) {
      await blobs.delete(mediaKey).catch(() => {});
      throw error;
    }
    const record: LectureRecord = {
      ...toNewRecord(owner, mediaKey, file),
      requestedLanguage: language,
      recognition,
      transientUntil: afterMs(longestMs),
      skipped: Object.fromEntries(studyStageNames.map((stage) => [stage, 'not_asked'])),
    };
    await keepRecord(services, record);
    if (await submitter.submit(record)) return record;
    // Nobody could follow it, and whoever waits is told to come again.
    await end(record, { isDone: false });
    throw new AppError('queue_unavailable', 'Redis cannot be reached.', { details: { retryAfterSeconds: 5 } });
  };

  /** From here on it is kept for a moment only. */
  const end = async (record: LectureRecord, { isDone }: { isDone: boolean }): Promise<void> => {
    if (!isDone) await changer.cancel(record).catch(() => {});
    const transientUntil = afterMs(keepMs);
    await lectures.update(record.id, (current) => ({ ...current, transientUntil })).catch(() => {});
  };

  const follow = async (record: LectureRecord, request: TranscriptRequest): Promise<AudioResult> => {
    let isDone = false;
    try {
      await streams.follow(record, () => toWriter(request), null);
      const ended = await lectures.read(record.id);
      if (request.signal.aborted || !ended) throw new AppError('cancelled', 'The caller has gone.');
      const failure = pathStageNames.map((stage) => hasFailed(ended, stage) && ended.failures[stage]).find(Boolean);
      // It was tried as often as it is worth.
      if (failure) {
        const code = isErrorCode(failure.code) ? failure.code : 'internal';
        throw new AppError(code, failure.message, { retryable: false });
      }
      if (ended.artifacts.assemble || ended.skipped.assemble) {
        isDone = true;
        return await readResult(ended);
      }
      if (ended.cancelledAt !== null) throw new AppError('cancelled', 'The work was cancelled.');
      throw new AppError('unavailable', 'This copy is stopping; try again.', { details: { retryAfterSeconds: 1 } });
    } finally {
      await end(record, { isDone });
    }
  };

  const readResult = async (record: LectureRecord): Promise<AudioResult> => {
    const transcript = await readMachineTranscript(artifacts, record);
    const { transcribedChunks } = await lectures.readIndex(record);
    const decodings = [];
    for (const index of transcribedChunks) {
      const key = transcribedChunkKey(record.id, attemptOf(record, 'transcribe'), index);
      decodings.push(...((await artifacts.readArtifact(key, transcribedChunkSchema))?.decodings ?? []));
    }
    return {
      task: toTask(record.recognition ?? {}),
      language: transcript.language,
      durationSeconds: record.durationSeconds ?? 0,
      text: transcript.text,
      segments: transcript.segments,
      decodings: decodings.length === transcript.segments.length ? decodings : null,
    };
  };

  /** Small files are looked at as clips first. */
  const transcribeSmall = async (call: TranscriptCall): Promise<AudioResult> => {
    const request = await call.receive();
    let record: LectureRecord | undefined;
    try {
      const answer = await asClip(request);
      if (answer) return answer;
      record = await admission.lecture(call.owner, () => begin(request));
    } finally {
      if (!record) await blobs.delete(request.mediaKey).catch(() => {});
    }
    return await follow(record, request);
  };

  return {
    async transcribe(call) {
      if (call.maybeClip) return await transcribeSmall(call);
      const { record, request } = await admission.lecture(call.owner, async () => {
        const request = await call.receive();
        return { request, record: await begin(request) };
      });
      return await follow(record, request);
    },
  };
}

function afterMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

function toTask({ translate }: Recognition): AudioResult['task'] {
  return translate ? 'translate' : 'transcribe';
}

/** Takes a lecture's events where others send them to a browser. */
function toWriter({ signal, listener }: TranscriptRequest): SseWriter {
  let language: string | null = null;
  let count = 0;
  return {
    signal,
    async send({ name, data }) {
      const { lecture, changes, from, segments } = data as {
        lecture?: { language: string | null };
        changes?: { language?: string | null };
        from: number;
        segments: Segment[];
      };
      language = changes?.language ?? lecture?.language ?? language;
      if (name !== 'segments') return;
      // Sent once more after Redis had lost its data.
      const fresh = segments.slice(Math.max(0, count - from));
      count = Math.max(count, from + segments.length);
      if (fresh.length > 0) await listener.onSegments(fresh, language);
    },
    comment: () => listener.onQuiet(),
    end() {},
  };
}

/** What stands between a segment and the text before it. */
export function joinerOf(language: string | null): string {
  return isUnspacedLanguage(language) ? '' : ' ';
}
