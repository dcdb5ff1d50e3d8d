import { AppError } from '@studymate/contracts/errors';
import { candidatesSchema } from '@studymate/contracts/requests';
import type { WorkContext } from '@studymate/models/serve-model';
import { parseLanguage } from '@studymate/speech/languages';
import { hopSamples, melFrameCount, sampleRate } from '@studymate/speech/log-mel';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { requireFolder } from './onnx-session.ts';
import { loadVoiceActivity, type VadPayload, vadFrameSamples } from './vad-lanes.ts';
import { createCandidateRanker, type RankCandidatesPayload, type RankedCandidates } from './whisper-candidates.ts';
import { loadWhisperModel } from './whisper-model.ts';
import { createWhisperTranscriber, type TranscribeWindowsPayload } from './whisper-transcribe.ts';

/** Longest window of `transcribe-windows`: 30 s. */
export const maxWindowSamples = melFrameCount * hopSamples;
/** Longest block of `vad`: an hour. Callers send far less at a time. */
const maxVadSamples = 3600 * sampleRate;
/** Most windows of one call; a chunk has about six. */
const maxWindows = 64;

export interface SpeechRuntimeOptions {
  /** Folders with the weights: `whisper` laid out as for @huggingface/transformers, `vad` with `silero_vad.onnx`. */
  modelDirs: Readonly<Record<string, string>>;
  threads: number;
}

export interface SpeechOperations {
  vad: { payload: VadPayload; result: { probabilities: Float32Array } };
  'transcribe-windows': { payload: TranscribeWindowsPayload; result: WindowTranscript[] };
  'rank-candidates': { payload: RankCandidatesPayload; result: RankedCandidates };
}

export interface SpeechRuntime {
  /**
   * One operation at a time: the caller queues. Another one may be run whenever an operation awaits its `pause`.
   * @throws AppError `invalid_request` (unknown operation, payload of another form), the signal's reason when aborted
   */
  run<O extends keyof SpeechOperations>(
    operation: O,
    payload: SpeechOperations[O]['payload'],
    context?: Partial<WorkContext>,
  ): Promise<SpeechOperations[O]['result']>;
  close(): Promise<void>;
}

/**
 * Loads Whisper and Silero VAD into this process (about .5 s). End the process to get the memory back.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function createSpeechRuntime(options: SpeechRuntimeOptions): Promise<SpeechRuntime> {
  const { threads } = options;
  const vad = await loadVoiceActivity({ folder: requireFolder(options.modelDirs, 'vad') });
  const whisperFolder = requireFolder(options.modelDirs, 'whisper');
  const model = await loadWhisperModel({ folder: whisperFolder, threads }).catch(async (error: unknown) => {
    await vad.close();
    throw error;
  });
  const transcriber = createWhisperTranscriber(model);
  const ranker = createCandidateRanker(model);

  const run = async (operation: string, payload: unknown, context: Partial<WorkContext> = {}): Promise<unknown> => {
    if (operation === 'vad') return { probabilities: await vad.detect(parseVad(payload), context) };
    if (operation === 'transcribe-windows') return transcriber.transcribe(parseTranscribe(payload), context);
    if (operation === 'rank-candidates') return ranker.rank(parseRank(payload), context);
    throw new AppError('invalid_request', `The speech models have no operation "${operation}"`);
  };

  return {
    run: run as SpeechRuntime['run'],
    async close() {
      await vad.close();
      await model.close();
    },
  };
}

function parseVad(payload: unknown): VadPayload {
  const { samples, leadSamples } = (payload ?? {}) as Partial<VadPayload>;
  const lead = leadSamples ?? 0;
  if (!(samples instanceof Int16Array) || samples.length > maxVadSamples) {
    throw new AppError('invalid_request', 'vad: `samples` must be an Int16Array of at most an hour');
  }
  if (!Number.isInteger(lead) || lead < 0 || lead % vadFrameSamples !== 0) {
    throw new AppError('invalid_request', `vad: \`leadSamples\` must be a multiple of ${vadFrameSamples}`);
  }
  return { samples, leadSamples: lead };
}

function parseTranscribe(payload: unknown): TranscribeWindowsPayload {
  const { windows, language, expectedLanguage, wordTimes } = (payload ?? {}) as Partial<TranscribeWindowsPayload>;
  const isWindow = (samples: unknown) => samples instanceof Int16Array && samples.length <= maxWindowSamples;
  if (!Array.isArray(windows) || windows.length > maxWindows || !windows.every(isWindow)) {
    const form = `at most ${maxWindows} Int16Arrays of at most 30 s each`;
    throw new AppError('invalid_request', `transcribe-windows: \`windows\` must be ${form}`);
  }
  return {
    windows,
    language: language === null || language === undefined ? null : parseLanguage(language),
    expectedLanguage:
      expectedLanguage === null || expectedLanguage === undefined ? null : parseLanguage(expectedLanguage),
    wordTimes: wordTimes === true,
  };
}

function parseRank(payload: unknown): RankCandidatesPayload {
  const { samples, candidates, language } = (payload ?? {}) as Partial<RankCandidatesPayload>;
  if (!(samples instanceof Int16Array) || samples.length > maxWindowSamples) {
    throw new AppError('invalid_request', 'rank-candidates: `samples` must be an Int16Array of at most 30 s');
  }
  const texts = candidatesSchema.safeParse(candidates);
  if (!texts.success) throw new AppError('invalid_request', 'rank-candidates: `candidates` must be texts');
  return { samples, candidates: texts.data, language: language ? parseLanguage(language) : null };
}
