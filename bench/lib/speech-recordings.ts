import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeClip } from '@studymate/media/decode-clip';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { createSpeechRuntime, type SpeechRuntime } from '../../apps/worker/src/model-process/speech-runtime.ts';
import { findSpans } from '../../apps/worker/src/quick/clip.ts';
import { transcribeInOrder } from '../../apps/worker/src/transcribe-in-order.ts';
import { groupOf, type Recording, readTranscriptList } from './transcript-list.ts';

declare const BENCH_ROOT: string;

/** A recording, what is said in it, and the folder that it lies in. */
type GroupedRecording = Recording & { group: string };

/** @param only part of the path of those that are wanted */
export async function readRecordings(folder: string, only = ''): Promise<GroupedRecording[]> {
  const recordings = await readTranscriptList(folder);
  return recordings
    .filter(({ file }) => file.includes(only))
    .map((recording) => ({ ...recording, group: groupOf(recording) }));
}

export interface RecordingTranscriber {
  /** As a clip is transcribed: whole up to 28 s, else window by window. */
  transcribe(filePath: string, language: string): Promise<WindowTranscript[]>;
  close(): Promise<void>;
}

/** The speech models in this process, without queue and worker around them. */
export async function openRecordingTranscriber(): Promise<RecordingTranscriber> {
  const folder = (name: string) => path.join(BENCH_ROOT, 'models', name);
  const modelDirs = { whisper: folder('whisper-base'), vad: folder('silero-vad') };
  const runtime = await createSpeechRuntime({ modelDirs, threads: 2 });
  const lease = toLease(runtime);
  const { signal } = new AbortController();
  return {
    async transcribe(filePath, language) {
      const bytes = await readFile(filePath);
      const limits = { maxSeconds: 4 * 3600, timeoutMs: 600_000 };
      const { samples } = await decodeClip({ bytes, ffmpegPath: 'ffmpeg', tempDir: path.dirname(filePath), ...limits });
      const spans = await findSpans(lease, samples, signal);
      const windows = spans.map(({ start, end }) => samples.subarray(start, end));
      return (await transcribeInOrder(lease, windows, { language, priority: 0, signal })).results;
    },
    close: () => runtime.close(),
  };
}

function toLease(runtime: SpeechRuntime): Parameters<typeof transcribeInOrder>[0] {
  return {
    cold: false,
    loadSeconds: 0,
    load: null,
    run: async (operation, payload) => {
      const value = await (runtime.run as (operation: string, payload: unknown) => Promise<unknown>)(
        operation,
        payload,
      );
      return { value: value as never, seconds: 0, times: { startedAtMs: 0, endedAtMs: 0 } };
    },
    release: () => undefined,
  };
}
