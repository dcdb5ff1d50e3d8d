import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeClip } from '@studymate/media/decode-clip';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { createSpeechRuntime, type SpeechRuntime } from '../../apps/worker/src/model-process/speech-runtime.ts';
import { findSpans } from '../../apps/worker/src/quick/clip.ts';
import { transcribeInOrder } from '../../apps/worker/src/transcribe-in-order.ts';

declare const BENCH_ROOT: string;

/** A recording of which it is known what is said in it. */
export interface SpokenRecording {
  /** Relative to the folder. */
  file: string;
  /** The folder that it lies in, without "speech/". */
  group: string;
  /** ISO 639-1 */
  language: string;
  transcript: string;
}

/**
 * Lines "path, language, transcript, source, licence" of `speech/transcripts.tsv` under a heading.
 * @param only part of the path of those that are wanted
 */
export async function readRecordings(folder: string, only = ''): Promise<SpokenRecording[]> {
  const text = await readFile(path.join(folder, 'speech/transcripts.tsv'), 'utf8');
  const lines = text.trimEnd().split('\n').slice(1);
  return lines
    .map((line) => {
      const [file = '', language = '', transcript = ''] = line.split('\t');
      return { file, language, transcript, group: path.dirname(file).replace(/^speech\//, '') };
    })
    .filter(({ file }) => file.includes(only));
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
    run: async (operation, payload) => {
      const value = await (runtime.run as (operation: string, payload: unknown) => Promise<unknown>)(
        operation,
        payload,
      );
      return { value: value as never, seconds: 0 };
    },
    release: () => undefined,
  };
}
