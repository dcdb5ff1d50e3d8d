import { join } from 'node:path';
import type { Tensor, TypedTensor } from 'onnxruntime-node';
import { openSession } from './onnx-session.ts';
import { attentionRowsOf, createAttentionRows } from './whisper-attention.ts';
import type { Decoding, DecodingOptions, EncodedWindows, OpenGraphsOptions, WhisperGraphs } from './whisper-model.ts';
import { createBatchedPrefixes } from './whisper-prefix.ts';
import { type Choice, createSeededRandom, createTokenChooser } from './whisper-sampling.ts';

/**
 * Each lane holds 37 MB of keys and values (base). Measured, ms a token: 5.3 with one lane, 4.2 with two, 3.2 with four, 2.7
 * with eight (a machine with slower memory than the one of the README's table). Five, as many windows as most chunks have,
 * were no quicker within what could be measured, and took the process from 420 to 510 MB.
 */
const maxLanes = 4;

/** Of 30 s, Whisper's window. */
const encoderFrames = 1_500;

/** Keys or values of the cross-attention by name, lane after lane. */
type CrossMemory = ReadonlyMap<string, Float32Array>;

/** The graphs that tools/whisper-graphs makes: lanes side by side, the choice of a token made inside. */
export async function openBatchedGraphs(options: OpenGraphsOptions): Promise<WhisperGraphs> {
  const { folder, threads, device, config, tokens } = options;
  const encoder = await openSession(join(folder, 'onnx', 'encoder_model_quantized.onnx'), threads, {
    keepsScratch: false,
    device,
  });
  const decoder = await openSession(join(folder, 'onnx', 'decoder_batched_quantized.onnx'), threads, { device }).catch(
    async (error: unknown) => {
      await encoder.release();
      throw error;
    },
  );
  const ort = await import('onnxruntime-node');
  const crossNames = decoder.inputNames.filter((name) => name.startsWith('cross_'));
  const headSize = config.d_model / config.decoder_attention_heads;
  const rowSize = 2 * config.decoder_layers * config.d_model;
  const vocabularySize = config.vocab_size;
  const toAllowed = (barred: readonly number[]): Tensor => {
    const allowed = new Float32Array(vocabularySize).fill(1, 0, tokens.endOfText + 1);
    for (const token of barred) if (token <= tokens.endOfText) allowed[token] = 0;
    return new ort.Tensor('float32', allowed, [vocabularySize]);
  };
  const allowed = toAllowed(tokens.suppressed);
  const allowedAtStart = toAllowed([...tokens.suppressed, ...tokens.suppressedAtStart]);

  const crossDims = (name: string, lanes: number) =>
    name.startsWith('cross_key')
      ? [lanes * config.decoder_attention_heads, headSize, encoderFrames]
      : [lanes * config.decoder_attention_heads, encoderFrames, headSize];
  const laneSize = config.d_model * encoderFrames;
  const view = (memory: CrossMemory, name: string, from: number, lanes: number): Tensor => {
    const data = (memory.get(name) as Float32Array).subarray(from * laneSize, (from + lanes) * laneSize);
    return new ort.Tensor('float32', data, crossDims(name, lanes));
  };
  const toWindows = (memory: CrossMemory, from: number, laneCount: number): EncodedWindows => ({
    laneCount,
    tensors: Object.fromEntries(crossNames.map((name) => [name, view(memory, name, from, laneCount)])),
    lane: (index) => toWindows(memory, from + index, 1),
  });

  /** The encoder writes each lane where the decoder reads it: nothing is there twice. */
  const encode: WhisperGraphs['encode'] = async (count, features) => {
    const memory: CrossMemory = new Map(crossNames.map((name) => [name, new Float32Array(count * laneSize)]));
    for (let lane = 0; lane < count; lane++) {
      const data = await features(lane);
      const input_features = new ort.Tensor('float32', data, [
        1,
        config.num_mel_bins,
        data.length / config.num_mel_bins,
      ]);
      await encoder.run({ input_features }, toWindows(memory, lane, 1).tensors);
    }
    return toWindows(memory, 0, count);
  };

  const begin = async ({ windows, prompts, temperature, wordTimes }: DecodingOptions): Promise<Decoding> => {
    let lanes = windows.laneCount;
    const cross: Record<string, Tensor> = { ...windows.tensors };
    const rows = prompts.map(() => createAttentionRows(tokens.alignmentHeads.length));
    const chooser = createTokenChooser({ ...tokens, random: createSeededRandom(Math.round(temperature * 1000) + 1) });
    /** [position, lane, layers and kinds]: grows at its end, nothing is copied between steps. */
    let cache = new Float32Array(0);
    let fed = 0;
    let choices: Choice[] = [];

    /** @param fedTokens [token, lane] */
    const step = async (fedTokens: readonly number[], atStart: boolean): Promise<Float32Array | null> => {
      const count = fedTokens.length / lanes;
      const wantsLogits = atStart || temperature > 0;
      const fetches = ['present', ...(wordTimes ? ['attention'] : []), ...(wantsLogits ? ['logits'] : [])];
      if (temperature === 0) fetches.push('token', 'choice');
      const width = lanes * rowSize;
      const outputs = await decoder.run(
        {
          ...cross,
          input_ids: new ort.Tensor('int64', BigInt64Array.from(fedTokens, BigInt), [count, lanes]),
          past: new ort.Tensor('float32', cache.subarray(0, fed * width), [fed, lanes, rowSize]),
          allowed: atStart ? allowedAtStart : allowed,
        },
        fetches,
      );
      if (cache.length < (fed + count) * width) cache = grown(cache, fed * width, (fed + count) * width);
      cache.set((outputs.present as TypedTensor<'float32'>).data, fed * width);
      fed += count;
      const attention = outputs.attention as TypedTensor<'float32'> | undefined;
      if (attention) {
        for (let lane = 0; lane < lanes; lane++) {
          for (const row of attentionRowsOf(attention.data, attention.dims, lane)) rows[lane]?.add(row);
        }
      }
      const logits = (outputs.logits as TypedTensor<'float32'> | undefined)?.data ?? null;
      choices = Array.from({ length: lanes }, (_, lane) => {
        if (logits && temperature > 0) {
          const from = ((count - 1) * lanes + lane) * vocabularySize;
          return chooser.choose(logits.subarray(from, from + vocabularySize), { atStart, temperature });
        }
        const token = Number((outputs.token as TypedTensor<'int64'>).data[lane]);
        return toChoice(token, (outputs.choice as TypedTensor<'float32'>).data.subarray(lane * 4, lane * 4 + 4));
      });
      return logits;
    };

    const promptLength = prompts[0]?.length ?? 0;
    const fedFirst = Array.from({ length: promptLength }, (_, i) =>
      prompts.map((prompt) => prompt[i] as number),
    ).flat();
    const logits = (await step(fedFirst, true)) as Float32Array;
    return {
      firstLogits: prompts.map((_, lane) => logits.subarray(lane * vocabularySize, (lane + 1) * vocabularySize)),
      get choices() {
        return choices;
      },
      async next(fedTokens) {
        await step(fedTokens, false);
      },
      keep(laneCount) {
        if (laneCount >= lanes) return;
        const kept = new Float32Array(fed * laneCount * rowSize);
        for (let position = 0; position < fed; position++) {
          const from = position * lanes * rowSize;
          kept.set(cache.subarray(from, from + laneCount * rowSize), position * laneCount * rowSize);
        }
        cache = kept;
        // The lanes that stay are the first ones: a view of the same memory.
        for (const name of crossNames) {
          const whole = cross[name] as TypedTensor<'float32'>;
          const dims = [((whole.dims[0] as number) / lanes) * laneCount, ...whole.dims.slice(1)];
          const data = whole.data.subarray(0, (whole.data.length / lanes) * laneCount);
          cross[name] = new ort.Tensor('float32', data, dims);
        }
        choices = choices.slice(0, laneCount);
        lanes = laneCount;
      },
      attention: (lane, rowCount) => (rows[lane] as (typeof rows)[number]).read(rowCount),
    };
  };

  return {
    maxLanes,
    timesWords: true,
    encode,
    begin,
    startPrefix: createBatchedPrefixes({ ort, decoder, vocabularySize }, { rowSize, allowed }),
    async close() {
      await encoder.release();
      await decoder.release();
    },
  };
}

/** The graph gives: logit of the choice, greatest logit, probability of the greatest, probability of all allowed. */
function toChoice(token: number, [logit = 0, greatest = 0, most = 1, together = 1]: Float32Array | number[]): Choice {
  const logProbability = logit - greatest + Math.log(most);
  // Nothing allowed may be near the greatest at all.
  return { token, logProbability, allowedLogProbability: together > 0 ? logProbability - Math.log(together) : 0 };
}

/** Room for half as much again, so that a text of n tokens is moved a few times and not n times. */
function grown(cache: Float32Array, used: number, needed: number): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(Math.ceil(needed * 1.5));
  larger.set(cache.subarray(0, used));
  return larger;
}
