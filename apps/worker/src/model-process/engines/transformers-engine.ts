import { basename, dirname, join } from 'node:path';
import type { Tensor } from '@huggingface/transformers';
import { AppError } from '@studymate/contracts/errors';
import type { WorkContext } from '@studymate/models/serve-model';
import { compressionRatio } from '@studymate/speech/compression-ratio';
import { sampleRate } from '@studymate/speech/log-mel';
import { type SpeechStretch, spreadOverSpeech } from '@studymate/speech/speech-stretches';
import { createWhisperTokens, type GenerationConfigFile, type TokenizerFile } from '@studymate/speech/whisper-tokens';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import type { InferenceSession } from 'onnxruntime-node';
import { findGraphs } from '../find-graphs.ts';
import { readJson, spinBriefly } from '../onnx-session.ts';
import { mustKnowLanguage } from '../whisper-languages.ts';
import { createSeededRandom, createTokenChooser, probabilityOf, softmaxOver } from '../whisper-sampling.ts';
import { type TranscribeWindowsPayload, withLead } from '../whisper-transcribe.ts';
import { mustNotTranslate, noWords, type SpeechEngine, type SpeechEngineOptions } from './speech-engine.ts';
import { toWords } from './to-words.ts';

// openai/whisper, transcribe.py
const noSpeechThreshold = 0.6;
const worstAverageLogProbability = -1;
const encoderFramesPerSecond = 50;

/** What `preprocessor_config.json` says of every Whisper; a model from a hub need not have been downloaded with it. */
const featureExtraction = {
  n_fft: 400,
  hop_length: 160,
  sampling_rate: sampleRate,
  n_samples: 30 * sampleRate,
  nb_max_frames: 3000,
};

/** What is used of the library's model and of its feature extractor; its own types say less. */
interface Model {
  sessions: Record<string, InferenceSession>;
  config: { max_target_positions: number; num_mel_bins: number };
  forward(inputs: Record<string, unknown>): Promise<{ logits: Tensor }>;
  generate(options: Record<string, unknown>): Promise<Tensor | { sequences: Tensor; token_timestamps: Tensor }>;
  dispose(): Promise<unknown>;
}
type Extract = (sound: Float32Array) => Promise<{ input_features: Tensor & { ort_tensor: never } }>;

/**
 * @huggingface/transformers as it is: its log-mel, its loop, its word times. It recognises neither language nor silence and
 * gives no probabilities; a first step of the decoder and a look at each step's logits add these. Windows go one by one,
 * without fallback to other temperatures, and work that interrupts waits for the end of a window.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function loadTransformersEngine(options: SpeechEngineOptions): Promise<SpeechEngine> {
  const { findSpeech } = options;
  const { library, extract, model, tokens } = await load(options);
  const languageCodes = [...tokens.languageIds.keys()];
  const languageIds = [...tokens.languageIds.values()];
  const timesWords =
    tokens.alignmentHeads.length > 0 &&
    model.sessions.decoder_model_merged?.outputNames.some((name) => name.startsWith('cross_attentions')) === true;
  // Nothing is drawn at temperature 0: it tells how likely the likeliest token is.
  const chooser = createTokenChooser({ ...tokens, random: createSeededRandom(1) });

  /** Sees the logits of every step before the library takes the likeliest, and is the one place where work can end early. */
  class Watch extends library.LogitsProcessor {
    readonly logProbabilities: number[] = [];
    readonly allowedLogProbabilities: number[] = [];
    readonly signal: AbortSignal | undefined;
    constructor(signal: AbortSignal | undefined) {
      super();
      this.signal = signal;
    }
    override _call(_inputIds: bigint[][], logits: Tensor): Tensor {
      this.signal?.throwIfAborted();
      const atStart = this.logProbabilities.length === 0;
      const choice = chooser.choose(logits.data as Float32Array, { atStart, temperature: 0 });
      this.logProbabilities.push(choice.logProbability);
      this.allowedLogProbabilities.push(choice.allowedLogProbability);
      return logits;
    }
  }

  /** Language and silence: what comes after the first token of every prompt. */
  const lookAtStart = async (encoder_outputs: Tensor, wanted: string | null) => {
    const decoder_input_ids = new library.Tensor('int64', BigInt64Array.of(BigInt(tokens.startOfTranscript)), [1, 1]);
    const logits = (await model.forward({ encoder_outputs, decoder_input_ids })).logits.data as Float32Array;
    const noSpeechProbability = probabilityOf(logits, tokens.noSpeech);
    if (languageIds.length === 0) return { language: 'en', languageProbability: 1, noSpeechProbability };
    const shares = softmaxOver(logits, languageIds);
    const language = wanted ?? (languageCodes[shares.indexOf(Math.max(...shares))] as string);
    return { language, languageProbability: shares[languageCodes.indexOf(language)] ?? 0, noSpeechProbability };
  };

  const transcribeWindow = async (
    samples: Int16Array,
    { language: wanted, wordTimes }: Omit<TranscribeWindowsPayload, 'windows'>,
    signal: AbortSignal | undefined,
  ): Promise<WindowTranscript> => {
    const stretches = await findSpeech(samples);
    if (stretches.length === 0) return noWords(wanted ?? 'en');
    const seconds = samples.length / sampleRate;
    const sound = withLead(samples);
    const leadSeconds = sound.length / sampleRate - seconds;
    const { input_features } = await extract(Float32Array.from(sound, (sample) => sample / 32_768));
    signal?.throwIfAborted();
    const encoder = model.sessions.model as InferenceSession;
    const encoded = await encoder.run({ input_features: input_features.ort_tensor }, ['last_hidden_state']);
    const encoder_outputs = new library.Tensor(encoded.last_hidden_state as never);
    signal?.throwIfAborted();
    const { language, languageProbability, noSpeechProbability } = await lookAtStart(encoder_outputs, wanted);
    const watch = new Watch(signal);
    const logits_processor = new library.LogitsProcessorList();
    logits_processor.push(watch);
    const promptLength = languageIds.length === 0 ? 2 : 4;
    const isTimed = wordTimes && timesWords;
    const output = await model.generate({
      inputs: input_features,
      encoder_outputs,
      ...(languageIds.length > 0 && { language, task: 'transcribe' }),
      max_new_tokens: Math.min(model.config.max_target_positions - promptLength - 1, Math.ceil(32 + 16 * seconds)),
      return_token_timestamps: isTimed,
      num_frames: Math.max(1, Math.floor((leadSeconds + seconds) * encoderFramesPerSecond)),
      logits_processor,
    });
    const sequence = ('sequences' in output ? output.sequences : output).data as BigInt64Array;
    const generated = Array.from(sequence.subarray(promptLength), Number).filter((token) => token < tokens.endOfText);
    const likelihoods = watch.allowedLogProbabilities;
    const averageLogProbability = likelihoods.reduce((sum, value) => sum + value, 0) / likelihoods.length;
    const about = { language, languageProbability, averageLogProbability, noSpeechProbability };
    const isSilence = noSpeechProbability > noSpeechThreshold && averageLogProbability < worstAverageLogProbability;
    const text = tokens.decode(generated).trim();
    if (isSilence || text === '') return { ...noWords(language), ...about };
    const pieces = tokens.splitIntoWords(generated, language);
    // The library's moment of a token is when the next one begins: its rows are those of the tokens fed, not of those made
    // from them. The first word begins with the speech.
    const moments = 'token_timestamps' in output ? output.token_timestamps.data.subarray(promptLength) : null;
    const spans = moments
      ? pieces.map(({ firstToken, tokenCount }) => ({
          start: firstToken === 0 ? (stretches[0]?.start ?? 0) : Number(moments[firstToken - 1]) - leadSeconds,
          end: Number(moments[firstToken + tokenCount - 1]) - leadSeconds,
        }))
      : spreadOverSpeech(
          pieces.map((piece) => piece.text),
          stretches,
          seconds,
        );
    const untidy = pieces.map((piece, i) => {
      const logProbabilities = watch.logProbabilities.slice(piece.firstToken, piece.firstToken + piece.tokenCount);
      const made = generated.slice(piece.firstToken, piece.firstToken + piece.tokenCount);
      return {
        text: piece.text,
        tokens: made,
        probabilities: logProbabilities.map(Math.exp),
        ...(spans[i] as SpeechStretch),
      };
    });
    const words = wordTimes ? toWords(untidy, seconds) : [];
    return { ...about, text, words, tokens: generated, temperature: 0, compressionRatio: compressionRatio(text) };
  };

  return {
    async transcribe(payload, context: Partial<WorkContext> = {}) {
      mustNotTranslate('transformers', payload);
      mustKnowLanguage(tokens, payload.language);
      const { windows, ...rest } = payload;
      const transcripts: WindowTranscript[] = [];
      for (const samples of windows) {
        await context.pause?.();
        context.signal?.throwIfAborted();
        transcripts.push(await transcribeWindow(samples, rest, context.signal));
      }
      return transcripts;
    },
    async close() {
      await model.dispose();
    },
  };
}

/** @throws AppError `model_missing`, `model_damaged` */
async function load({ model: folder, threads }: SpeechEngineOptions) {
  const tokenizer = await readJson<TokenizerFile>(join(folder, 'tokenizer.json'));
  const generation = await readJson<GenerationConfigFile>(join(folder, 'generation_config.json'));
  const { dtype } = await findGraphs(folder, ['encoder_model', 'decoder_model_merged']);
  const library = await import('@huggingface/transformers');
  library.env.allowRemoteModels = false;
  library.env.localModelPath = dirname(folder);
  const name = basename(folder);
  try {
    const tokens = createWhisperTokens(tokenizer, generation);
    const model = (await library.WhisperForConditionalGeneration.from_pretrained(name, {
      dtype,
      session_options: {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        extra: { session: spinBriefly },
      },
    })) as unknown as Model;
    const extract = new library.WhisperFeatureExtractor({
      ...featureExtraction,
      feature_size: model.config.num_mel_bins,
    }) as unknown as Extract;
    return { library, extract, model, tokens };
  } catch (cause) {
    throw new AppError('model_damaged', `The model in ${folder} cannot be loaded`, { cause });
  }
}
