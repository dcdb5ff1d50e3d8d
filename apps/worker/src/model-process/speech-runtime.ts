import { AppError } from '@studymate/contracts/errors';
import { maxGlossaryTerms, maxTermCharacters } from '@studymate/contracts/glossary';
import type { ModelDevice, SpeechEngineName } from '@studymate/contracts/models';
import { candidatesSchema } from '@studymate/contracts/requests';
import type { WorkContext } from '@studymate/models/serve-model';
import { parseLanguage } from '@studymate/speech/languages';
import { hopSamples, melFrameCount, sampleRate } from '@studymate/speech/log-mel';
import { toSpeechStretches } from '@studymate/speech/speech-stretches';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import type { WhisperNodePaths } from '../whisper-node/paths.ts';
import type { SpeechEngine, SpeechEngineOptions } from './engines/speech-engine.ts';
import { requireFolder } from './onnx-session.ts';
import { loadVoiceActivity, type VadPayload, vadFrameSamples } from './vad-lanes.ts';
import type { RankCandidatesPayload, RankedCandidates } from './whisper-candidates.ts';
import type { TranscribeWindowsPayload } from './whisper-transcribe.ts';

/** Longest window of `transcribe-windows`: 30 s. */
export const maxWindowSamples = melFrameCount * hopSamples;
/** Longest block of `vad`: an hour. Callers send far less at a time. */
const maxVadSamples = 3600 * sampleRate;
/** Most windows of one call; a chunk has about six. */
const maxWindows = 64;

export interface SpeechRuntimeOptions {
  /**
   * Folders with the weights: `whisper` laid out as for @huggingface/transformers (for whisper-node with a
   * `ggml-*.bin`), `vad` with `silero_vad.onnx`.
   */
  modelDirs: Readonly<Record<string, string>>;
  threads: number;
  /** For the engine onnx; by default the processor. */
  device?: ModelDevice | undefined;
  engine?: SpeechEngineName;
  /** For that engine. */
  whisperNode?: WhisperNodePaths | undefined;
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
 * Loads a speech engine with its model, and Silero VAD, into this process (about .5 s with onnx). End the process to get
 * the memory back.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function createSpeechRuntime(options: SpeechRuntimeOptions): Promise<SpeechRuntime> {
  const { threads, device, whisperNode, engine: engineName = 'onnx' } = options;
  const vad = await loadVoiceActivity({ folder: requireFolder(options.modelDirs, 'vad') });
  const engineOptions: SpeechEngineOptions = {
    model: requireFolder(options.modelDirs, 'whisper'),
    threads,
    device,
    whisperNode,
    async findSpeech(samples) {
      const probabilities = await vad.detect({ samples, leadSamples: 0 });
      return toSpeechStretches({ probabilities, frameSeconds: vadFrameSamples / sampleRate });
    },
  };
  const engine = await loadEngine(engineName, engineOptions).catch(async (error: unknown) => {
    await vad.close();
    throw error;
  });

  const run = async (operation: string, payload: unknown, context: Partial<WorkContext> = {}): Promise<unknown> => {
    if (operation === 'vad') return { probabilities: await vad.detect(parseVad(payload), context) };
    if (operation === 'transcribe-windows') return engine.transcribe(parseTranscribe(payload), context);
    if (operation === 'rank-candidates') {
      if (engine.rank) return engine.rank(parseRank(payload), context);
      throw new AppError(
        'invalid_request',
        `WHISPER_ENGINE=${engineName} cannot rank candidates: leave them out, or set onnx`,
      );
    }
    throw new AppError('invalid_request', `The speech models have no operation "${operation}"`);
  };

  return {
    run: run as SpeechRuntime['run'],
    async close() {
      await vad.close();
      await engine.close();
    },
  };
}

/** Only what is used is imported: each engine brings libraries of its own. */
async function loadEngine(name: SpeechEngineName, options: SpeechEngineOptions): Promise<SpeechEngine> {
  switch (name) {
    case 'onnx':
      return (await import('./engines/onnx-engine.ts')).loadOnnxEngine(options);
    case 'transformers':
      return (await import('./engines/transformers-engine.ts')).loadTransformersEngine(options);
    case 'whisper-node':
      return (await import('./engines/whisper-node-engine.ts')).loadWhisperNodeEngine(options);
  }
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
  const {
    windows,
    language,
    expectedLanguage,
    wordTimes,
    translate,
    temperature,
    glossary = [],
  } = (payload ?? {}) as Partial<TranscribeWindowsPayload>;
  const isTerm = (term: unknown) => typeof term === 'string' && term.length <= 2 * maxTermCharacters;
  const isWindow = (samples: unknown) => samples instanceof Int16Array && samples.length <= maxWindowSamples;
  if (!Array.isArray(windows) || windows.length > maxWindows || !windows.every(isWindow)) {
    const form = `at most ${maxWindows} Int16Arrays of at most 30 s each`;
    throw new AppError('invalid_request', `transcribe-windows: \`windows\` must be ${form}`);
  }
  if (!Array.isArray(glossary) || glossary.length > maxGlossaryTerms || !glossary.every(isTerm)) {
    throw new AppError('invalid_request', 'transcribe-windows: `glossary` must be an array of short terms');
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 1)) {
    throw new AppError('invalid_request', 'transcribe-windows: `temperature` must be a number from 0 to 1');
  }
  return {
    windows,
    language: language === null || language === undefined ? null : parseLanguage(language),
    expectedLanguage:
      expectedLanguage === null || expectedLanguage === undefined ? null : parseLanguage(expectedLanguage),
    wordTimes: wordTimes === true,
    translate: translate === true,
    temperature,
    glossary,
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
