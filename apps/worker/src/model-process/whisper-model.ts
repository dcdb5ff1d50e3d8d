import { join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import type { ModelDevice } from '@studymate/contracts/models';
import {
  createWhisperTokens,
  type GenerationConfigFile,
  type TokenizerFile,
  type WhisperTokens,
} from '@studymate/speech/whisper-tokens';
import type { Tensor } from 'onnxruntime-node';
import { exists, readJson } from './onnx-session.ts';
import { openBatchedGraphs } from './whisper-batched.ts';
import { openMergedGraphs } from './whisper-merged.ts';
import type { StartPrefix } from './whisper-prefix.ts';
import type { Choice } from './whisper-sampling.ts';

/** What is read of `config.json`. */
export interface WhisperConfig {
  d_model: number;
  decoder_layers: number;
  decoder_attention_heads: number;
  max_target_positions: number;
  num_mel_bins: number;
  vocab_size: number;
}

/** Windows as the decoder needs them. */
export interface EncodedWindows {
  readonly laneCount: number;
  /** By the names of the decoder's inputs, lane after lane. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** One of them by itself, in the same memory. */
  lane(index: number): EncodedWindows;
}

export interface DecodingOptions {
  windows: EncodedWindows;
  /** One a lane, all of the same length. */
  prompts: readonly (readonly number[])[];
  /** 0 takes the likeliest token. */
  temperature: number;
  /** Whether attention is kept, from which word times are computed. */
  wordTimes: boolean;
}

/** Windows that are decoded side by side, in step. */
export interface Decoding {
  /** By lane: the logits after the first token of the prompt, [vocabulary]. */
  readonly firstLogits: readonly Float32Array[];
  /** By lane: what comes after what was fed so far. */
  readonly choices: readonly Choice[];
  /** Feeds one token a lane and makes the next choices. */
  next(tokens: readonly number[]): Promise<void>;
  /** Drops all lanes but the first ones. */
  keep(laneCount: number): void;
  /** The attention of the alignment heads in a lane, a row for every token fed to it. */
  attention(lane: number, rowCount: number): Attention;
}

export interface Attention {
  /** [heads, rows, columns] */
  attention: Float32Array;
  headCount: number;
  rowCount: number;
  columnCount: number;
}

/** The graphs of one export. */
export interface WhisperGraphs {
  /** Lanes that are worth while side by side; 1 where each window is a run of its own. */
  maxLanes: number;
  /** Whether the decoder gives the attention from which word times are computed. */
  timesWords: boolean;
  /**
   * Encodes windows one after the other.
   * @param features makes the features [mel bins, frames] of a window; awaited before each
   */
  encode(count: number, features: (index: number) => Promise<Float32Array>): Promise<EncodedWindows>;
  begin(options: DecodingOptions): Promise<Decoding>;
  /** For given texts: how likely they are. */
  startPrefix: StartPrefix;
  close(): Promise<void>;
}

export interface WhisperModel extends WhisperGraphs {
  tokens: WhisperTokens;
  /** Bands of the log-mel that it hears. */
  melBandCount: number;
  /** Longest sequence that the decoder has positions for. */
  maxPositions: number;
}

export interface OpenGraphsOptions {
  folder: string;
  threads: number;
  device: ModelDevice;
  config: WhisperConfig;
  tokens: WhisperTokens;
}

/**
 * Loads a folder as @huggingface/transformers lays it out. A `decoder_batched_quantized.onnx` (tools/whisper-graphs) is
 * taken before the usual `decoder_model_merged_quantized.onnx`: it needs .6 of the time for a window, .4 for four.
 * @throws AppError `model_missing` (a file is not there), `model_damaged` (it cannot be read)
 */
export async function loadWhisperModel({
  folder,
  threads,
  device = 'cpu',
}: {
  folder: string;
  threads: number;
  device?: ModelDevice | undefined;
}): Promise<WhisperModel> {
  const config = await readJson<WhisperConfig>(join(folder, 'config.json'));
  const tokens = await readTokens(folder);
  const isBatched = await exists(join(folder, 'onnx', 'decoder_batched_quantized.onnx'));
  const open = isBatched ? openBatchedGraphs : openMergedGraphs;
  const graphs = await open({ folder, threads, device, config, tokens });
  return { ...graphs, tokens, melBandCount: config.num_mel_bins, maxPositions: config.max_target_positions };
}

async function readTokens(folder: string): Promise<WhisperTokens> {
  const tokenizer = await readJson<TokenizerFile>(join(folder, 'tokenizer.json'));
  const generation = await readJson<GenerationConfigFile>(join(folder, 'generation_config.json'));
  try {
    return createWhisperTokens(tokenizer, generation);
  } catch (cause) {
    throw new AppError('model_damaged', `${folder} does not hold a Whisper model`, { cause });
  }
}
