import { AppError } from '@studymate/contracts/errors';
import type { ModelDevice, SpeechEngineName } from '@studymate/contracts/models';
import type { WorkContext } from '@studymate/models/serve-model';
import type { SpeechStretch } from '@studymate/speech/speech-stretches';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import type { WhisperNodePaths } from '../../whisper-node/paths.ts';
import type { RankCandidatesPayload, RankedCandidates } from '../whisper-candidates.ts';
import type { TranscribeWindowsPayload } from '../whisper-transcribe.ts';

/**
 * What turns windows of sound into words, inside the speech model process. All engines take the same request and give
 * answers of the same form; `apps/worker/test/engines.test.ts` holds them to it. Ending the process unloads them.
 */
export interface SpeechEngine {
  /**
   * Looks at the signal at least between windows. An engine that awaits `pause` may be called again meanwhile.
   * @returns one transcript a window, in their order; where there is text there are words (if times were asked for)
   * @throws the signal's reason when aborted; AppError `unknown_language` (the weights know others only),
   * `invalid_request` (an engine that does not translate), `model_damaged` when the weights turn out to be unusable
   */
  transcribe(payload: TranscribeWindowsPayload, context?: Partial<WorkContext>): Promise<WindowTranscript[]>;
  /** Only where the decoder can be asked how likely a given text is. */
  rank?(payload: RankCandidatesPayload, context?: Partial<WorkContext>): Promise<RankedCandidates>;
  close(): Promise<void>;
}

export interface SpeechEngineOptions {
  /** Absolute: the folder with the weights. */
  model: string;
  threads: number;
  /** For the engine onnx; by default the processor. */
  device?: ModelDevice | undefined;
  /** For that engine. */
  whisperNode?: WhisperNodePaths | undefined;
  /** Where somebody speaks, in seconds; for engines that cannot tell silence from speech or give no word times. */
  findSpeech(samples: Int16Array): Promise<SpeechStretch[]>;
}

/** @throws AppError `invalid_request` */
export function mustNotTranslate(engine: SpeechEngineName, { translate }: TranscribeWindowsPayload): void {
  if (!translate) return;
  throw new AppError(
    'invalid_request',
    `A translation was asked for; the speech engine here, ${engine}, writes what is spoken. WHISPER_ENGINE=onnx translates.`,
  );
}

/** What is said of a window in which nobody speaks. */
export function noWords(language: string): WindowTranscript {
  return {
    language,
    languageProbability: 0,
    text: '',
    words: [],
    tokens: [],
    temperature: 0,
    averageLogProbability: 0,
    compressionRatio: 0,
    noSpeechProbability: 1,
  };
}
