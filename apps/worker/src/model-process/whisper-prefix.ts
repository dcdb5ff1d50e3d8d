import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import type { EncodedWindows } from './whisper-model.ts';

/** A text that was fed to the decoder. Several texts that begin alike can go on from one of them: it is not used up. */
export interface Prefix {
  /** By token that was fed last: the logits of what comes after it, [vocabulary]. */
  readonly logits: readonly Float32Array[];
  /** @param tokens at least one */
  extend(tokens: readonly number[]): Promise<Prefix>;
}

/**
 * Feeds a prompt to the decoder of one window.
 * @param window with one lane
 */
export type StartPrefix = (window: EncodedWindows, prompt: readonly number[]) => Promise<Prefix>;

type Ort = typeof import('onnxruntime-node');

interface PrefixGraph {
  ort: Ort;
  decoder: InferenceSession;
  vocabularySize: number;
}

const rowsOf = (logits: Float32Array, size: number): Float32Array[] =>
  Array.from({ length: logits.length / size }, (_, row) => logits.subarray(row * size, (row + 1) * size));

/** With the decoder of tools/whisper-graphs: any number of tokens in one run. @param rowSize of a position's cache */
export function createBatchedPrefixes(
  { ort, decoder, vocabularySize }: PrefixGraph,
  { rowSize, allowed }: { rowSize: number; allowed: Tensor },
): StartPrefix {
  const feed = async (window: EncodedWindows, past: Float32Array, tokens: readonly number[]): Promise<Prefix> => {
    const fed = past.length / rowSize;
    const outputs = await decoder.run(
      {
        ...window.tensors,
        input_ids: new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [tokens.length, 1]),
        past: new ort.Tensor('float32', past, [fed, 1, rowSize]),
        allowed,
      },
      ['logits', 'present'],
    );
    const present = (outputs.present as TypedTensor<'float32'>).data;
    const cache = new Float32Array(past.length + present.length);
    cache.set(past);
    cache.set(present, past.length);
    return {
      logits: rowsOf((outputs.logits as TypedTensor<'float32'>).data, vocabularySize),
      extend: (next) => feed(window, cache, next),
    };
  };
  return (window, prompt) => feed(window, new Float32Array(0), prompt);
}

/**
 * With the merged decoder of the usual exports: after the prompt token by token, for its branch with a past is made for
 * one token at a time.
 * @param emptyPast a cache of no positions
 */
export function createMergedPrefixes(
  { ort, decoder, vocabularySize }: PrefixGraph,
  { emptyPast }: { emptyPast: Tensor },
): StartPrefix {
  const cacheNames = decoder.outputNames.filter((name) => name.startsWith('present'));
  const decoderNames = cacheNames.filter((name) => name.includes('.decoder.'));
  const toInput = (output: string): string => output.replace('present', 'past_key_values');
  const run = async (tokens: readonly number[], inputs: Record<string, Tensor>, kept: readonly string[]) => {
    const input_ids = new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const outputs = await decoder.run({ ...inputs, input_ids }, ['logits', ...kept]);
    const carried = { ...inputs };
    for (const name of kept) carried[toInput(name)] = outputs[name] as Tensor;
    return { logits: rowsOf((outputs.logits as TypedTensor<'float32'>).data, vocabularySize), carried };
  };
  const toPrefix = (logits: readonly Float32Array[], carried: Record<string, Tensor>): Prefix => ({
    logits,
    async extend(tokens) {
      const rows: Float32Array[] = [];
      let inputs = carried;
      for (const token of tokens) {
        const step = await run([token], inputs, decoderNames);
        rows.push(...step.logits);
        inputs = step.carried;
      }
      return toPrefix(rows, inputs);
    },
  });
  return async (window, prompt) => {
    const inputs: Record<string, Tensor> = {
      encoder_hidden_states: window.tensors.last_hidden_state as Tensor,
      use_cache_branch: new ort.Tensor('bool', Uint8Array.of(0), [1]),
    };
    for (const name of cacheNames) inputs[toInput(name)] = emptyPast;
    const { logits, carried } = await run(prompt, inputs, cacheNames);
    return toPrefix(logits, { ...carried, use_cache_branch: new ort.Tensor('bool', Uint8Array.of(1), [1]) });
  };
}
