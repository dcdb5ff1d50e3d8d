import type { InferenceSession, Tensor, TypedTensor } from 'onnxruntime-node';
import { findGraphs } from './find-graphs.ts';
import { openSession } from './onnx-session.ts';
import { createAttentionRows } from './whisper-attention.ts';
import type { Decoding, DecodingOptions, EncodedWindows, OpenGraphsOptions, WhisperGraphs } from './whisper-model.ts';
import { createMergedPrefixes } from './whisper-prefix.ts';
import { type Choice, createSeededRandom, createTokenChooser } from './whisper-sampling.ts';

/**
 * The graphs of the usual exports: one decoder with a branch for the first step and one for all others. Windows that
 * are asked for together are decoded one after the other.
 */
export async function openMergedGraphs(options: OpenGraphsOptions): Promise<WhisperGraphs> {
  const { folder, threads, device, config, tokens } = options;
  const { paths } = await findGraphs(folder, ['encoder_model', 'decoder_model_merged']);
  const encoder = await openSession(paths[0] as string, threads, { device });
  const decoder = await openSession(paths[1] as string, threads, { device }).catch(async (error: unknown) => {
    await encoder.release();
    throw error;
  });
  const ort = await import('onnxruntime-node');
  const layers = config.decoder_layers;
  const headSize = config.d_model / config.decoder_attention_heads;
  const decoderOutputs = names(layers, (layer, kind) => `present.${layer}.decoder.${kind}`);
  const encoderOutputs = names(layers, (layer, kind) => `present.${layer}.encoder.${kind}`);
  // Exports without attention give no word times.
  const heads = tokens.alignmentHeads.filter(([layer]) => decoder.outputNames.includes(`cross_attentions.${layer}`));
  const attentionOutputs = [...new Set(heads.map(([layer]) => `cross_attentions.${layer}`))];
  const emptyPast = new ort.Tensor('float32', new Float32Array(0), [1, config.decoder_attention_heads, 0, headSize]);
  const useCache = new ort.Tensor('bool', Uint8Array.of(1), [1]);
  const noCache = new ort.Tensor('bool', Uint8Array.of(0), [1]);
  const toInputName = (output: string): string => output.replace('present', 'past_key_values');

  /** One window: its inputs of the next step, all but the token. */
  const beginLane = async (window: EncodedWindows, prompt: readonly number[], wordTimes: boolean) => {
    const hidden = window.tensors.last_hidden_state as Tensor;
    const rows = createAttentionRows(heads.length);
    let carried: Record<string, Tensor> = { encoder_hidden_states: hidden, use_cache_branch: useCache };

    const run = async (fed: readonly number[], inputs: Record<string, Tensor>, fetches: string[]) => {
      const input_ids = new ort.Tensor('int64', BigInt64Array.from(fed, BigInt), [1, fed.length]);
      const outputs = await decoder.run({ ...inputs, input_ids }, [...fetches, ...(wordTimes ? attentionOutputs : [])]);
      carried = { ...carried };
      for (const name of fetches) if (name !== 'logits') carried[toInputName(name)] = outputs[name] as Tensor;
      if (wordTimes) for (const row of attentionRows(outputs, heads, fed.length)) rows.add(row);
      return (outputs.logits as TypedTensor<'float32'>).data;
    };

    const first: Record<string, Tensor> = { encoder_hidden_states: hidden, use_cache_branch: noCache };
    for (const name of [...decoderOutputs, ...encoderOutputs]) first[toInputName(name)] = emptyPast;
    const logits = await run(prompt, first, ['logits', ...decoderOutputs, ...encoderOutputs]);
    // The encoder's keys and values never change: they are carried over, not asked for again.
    const next = (token: number) => run([token], carried, ['logits', ...decoderOutputs]);
    return { logits, next, rows };
  };

  type Lane = Awaited<ReturnType<typeof beginLane>>;
  const begin = async ({ windows, prompts, temperature, wordTimes }: DecodingOptions): Promise<Decoding> => {
    const random = createSeededRandom(Math.round(temperature * 1000) + 1);
    const chooser = createTokenChooser({ ...tokens, random });
    const size = config.vocab_size;
    const lanes: Lane[] = [];
    for (const [lane, prompt] of prompts.entries()) lanes.push(await beginLane(windows.lane(lane), prompt, wordTimes));
    let choices: Choice[] = lanes.map(({ logits }) =>
      chooser.choose(logits.subarray(logits.length - size), { atStart: true, temperature }),
    );
    return {
      firstLogits: lanes.map(({ logits }) => logits.subarray(0, size)),
      get choices() {
        return choices;
      },
      async next(fed) {
        const next: Choice[] = [];
        for (const [lane, token] of fed.entries()) {
          const logits = await (lanes[lane] as Lane).next(token);
          next.push(chooser.choose(logits, { atStart: false, temperature }));
        }
        choices = next;
      },
      keep(laneCount) {
        choices = choices.slice(0, laneCount);
      },
      attention: (lane, rowCount) => (lanes[lane] as Lane).rows.read(rowCount),
    };
  };

  return {
    maxLanes: 1,
    timesWords: heads.length > 0,
    async encode(count, features) {
      const hidden: Tensor[] = [];
      for (let lane = 0; lane < count; lane++) {
        const data = await features(lane);
        const shape = [1, config.num_mel_bins, data.length / config.num_mel_bins];
        const outputs = await encoder.run({ input_features: new ort.Tensor('float32', data, shape) }, [
          'last_hidden_state',
        ]);
        hidden.push(outputs.last_hidden_state as Tensor);
      }
      return toWindows(hidden);
    },
    begin,
    startPrefix: createMergedPrefixes({ ort, decoder, vocabularySize: config.vocab_size }, { emptyPast }),
    async close() {
      await encoder.release();
      await decoder.release();
    },
  };
}

/** Only one lane at a time has its tensors: they are never run together. */
function toWindows(hidden: readonly Tensor[]): EncodedWindows {
  const [first] = hidden;
  return {
    laneCount: hidden.length,
    tensors: hidden.length === 1 && first ? { last_hidden_state: first } : {},
    lane: (index) => toWindows(hidden.slice(index, index + 1)),
  };
}

function names(layers: number, name: (layer: number, kind: 'key' | 'value') => string): string[] {
  return Array.from({ length: layers }, (_, layer) => [name(layer, 'key'), name(layer, 'value')]).flat();
}

/** The alignment heads' rows, one for each token, out of whole layers [1, heads, tokens, columns]. */
function attentionRows(
  outputs: InferenceSession.OnnxValueMapType,
  heads: readonly (readonly [number, number])[],
  tokenCount: number,
): Float32Array[] {
  return Array.from({ length: tokenCount }, (_, token) => {
    let row = new Float32Array(0);
    heads.forEach(([layer, head], index) => {
      const { data, dims } = outputs[`cross_attentions.${layer}`] as TypedTensor<'float32'>;
      const columns = dims[3] ?? 0;
      if (row.length === 0) row = new Float32Array(heads.length * columns);
      const from = (head * tokenCount + token) * columns;
      row.set(data.subarray(from, from + columns), index * columns);
    });
    return row;
  });
}
