import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import type { WorkContext } from '@studymate/models/serve-model';
import { spinBriefly } from './onnx-session.ts';

const dimensions = 384;
/** Texts run together: more gain nothing on a CPU and take memory. */
const maxBatchSize = 32;
const maxTexts = 100_000;
/**
 * Width of a batch in characters, each text counted as the longest: a batch cannot be cancelled in its middle, and 32
 * texts of 512 tokens would take seconds. Sentences of ordinary length still go by 32.
 */
const maxBatchCharacters = 20_000;
/** About what 512 tokens hold; the rest of a text is cut off. */
const maxTextCharacters = 2_500;

export interface TextRuntimeOptions {
  /** `text`: a folder laid out as for @huggingface/transformers. */
  modelDirs: Readonly<Record<string, string>>;
  threads: number;
}

export interface EmbedResult {
  dimensions: number;
  /** Row by row in the order of the texts; each row has length 1. */
  vectors: Float32Array;
}

export interface TextRuntime {
  /**
   * `embed`: sentence vectors; texts longer than the model's 512 tokens count with their beginning.
   * @throws AppError `invalid_request`, the signal's reason when aborted (looked at between batches)
   */
  run(operation: 'embed', payload: { texts: string[] }, context?: Partial<WorkContext>): Promise<EmbedResult>;
  close(): Promise<void>;
}

/**
 * Loads the sentence model into this process.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function createTextRuntime(options: TextRuntimeOptions): Promise<TextRuntime> {
  const folder = options.modelDirs.text;
  if (folder === undefined) throw new AppError('model_missing', 'No folder was given for the model "text"');
  await access(folder).catch((cause: unknown) => {
    throw new AppError('model_missing', `There is no ${folder}`, { cause });
  });
  const { env, pipeline } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const extract = await pipeline('feature-extraction', basename(folder), {
    dtype: 'q8',
    session_options: {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      extra: { session: spinBriefly },
    },
  }).catch((cause: unknown) => {
    throw new AppError('model_damaged', `The model in ${folder} cannot be loaded`, { cause });
  });

  const embed = async (texts: readonly string[], { signal, pause }: Partial<WorkContext>): Promise<EmbedResult> => {
    const vectors = new Float32Array(texts.length * dimensions);
    // Texts of like length together: a batch is as wide as its longest text.
    const order = texts
      .map((_, index) => index)
      .sort((a, b) => (texts[a] as string).length - (texts[b] as string).length);
    for (let from = 0, to = 0; from < order.length; from = to) {
      await pause?.();
      signal?.throwIfAborted();
      to = from + batchSizeOf(order.slice(from, from + maxBatchSize).map((index) => (texts[index] as string).length));
      const batch = order.slice(from, to);
      const output = await extract(
        batch.map((index) => texts[index] as string),
        { pooling: 'mean', normalize: true },
      );
      const data = output.data as Float32Array;
      batch.forEach((index, row) => {
        vectors.set(data.subarray(row * dimensions, (row + 1) * dimensions), index * dimensions);
      });
      output.dispose();
    }
    return { dimensions, vectors };
  };

  return {
    async run(operation, payload, context = {}) {
      if (operation !== 'embed') {
        throw new AppError('invalid_request', `The text model has no operation "${String(operation)}"`);
      }
      const { texts } = (payload ?? {}) as { texts?: unknown };
      if (!Array.isArray(texts) || texts.length > maxTexts || !texts.every((text) => typeof text === 'string')) {
        throw new AppError('invalid_request', `embed: \`texts\` must be an array of at most ${maxTexts} strings`);
      }
      return embed(texts, context);
    },
    async close() {
      await extract.dispose();
    },
  };
}

/** How many of the next texts go together. @param lengths in characters, ascending, at least one */
export function batchSizeOf(lengths: readonly number[]): number {
  let size = 1;
  while (size < lengths.length && fits(size + 1, lengths[size] as number)) size++;
  return size;
}

function fits(count: number, longest: number): boolean {
  return count * Math.min(longest, maxTextCharacters) <= maxBatchCharacters;
}
