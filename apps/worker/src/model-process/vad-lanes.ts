import { join } from 'node:path';
import type { WorkContext } from '@studymate/models/serve-model';
import type { TypedTensor } from 'onnxruntime-node';
import { openSession } from './onnx-session.ts';

/** Samples of one frame: 32 ms at 16 kHz. */
export const vadFrameSamples = 512;
/** Silero sees the end of the previous frame before each frame. */
const contextSamples = 64;
const inputSamples = contextSamples + vadFrameSamples;
const stateSize = 128;
/**
 * The state settles in well under a second: lanes that begin in the middle hear this many frames (.5 s) first. Against
 * one lane over the whole sound, probabilities then differ by .004 on average and 3 decisions at .5 in 1,000.
 */
const warmUpFrames = 16;
const maxLanes = 16;

export interface VadPayload {
  /** Signed 16-bit, 16 kHz, mono. */
  samples: Int16Array;
  /** How many samples at the front are there for warming only; a multiple of 512. */
  leadSamples: number;
}

export interface VoiceActivity {
  /** One probability of speech for each whole frame after the lead. */
  detect(payload: VadPayload, context?: Partial<WorkContext>): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Silero VAD on one thread (a second one gains nothing). It is recurrent, so a long sound is cut into lanes that run beside each other as a batch.
 * @throws AppError `model_missing`, `model_damaged`
 */
export async function loadVoiceActivity(options: { folder: string }): Promise<VoiceActivity> {
  const session = await openSession(join(options.folder, 'silero_vad.onnx'), 1);
  const { Tensor } = await import('onnxruntime-node');
  const rate = new Tensor('int64', BigInt64Array.of(16_000n), []);

  return {
    async detect({ samples, leadSamples }, { signal, pause } = {}) {
      const leadFrames = leadSamples / vadFrameSamples;
      const frameCount = Math.floor(samples.length / vadFrameSamples) - leadFrames;
      if (frameCount <= 0) return new Float32Array(0);
      const probabilities = new Float32Array(frameCount);
      const { laneCount, laneFrames } = planLanes(frameCount);
      const input = new Float32Array(laneCount * inputSamples);
      let state = new Tensor('float32', new Float32Array(2 * laneCount * stateSize), [2, laneCount, stateSize]);
      const warmUp = laneCount === 1 ? leadFrames : warmUpFrames;
      for (let step = -warmUp; step < laneFrames; step++) {
        await pause?.();
        signal?.throwIfAborted();
        for (let lane = 0; lane < laneCount; lane++) {
          fillFrame(input, lane * inputSamples, samples, leadFrames + lane * laneFrames + step);
        }
        const outputs = await session.run({
          input: new Tensor('float32', input, [laneCount, inputSamples]),
          state,
          sr: rate,
        });
        state = outputs.stateN as TypedTensor<'float32'>;
        // A lane that begins nearer to the front than the warm-up is long starts afresh at the first sample.
        forgetBeforeFront(state, laneCount, laneFrames, leadFrames + step);
        if (step < 0) continue;
        const { data } = outputs.output as TypedTensor<'float32'>;
        for (let lane = 0; lane < laneCount; lane++) {
          const frame = lane * laneFrames + step;
          if (frame < frameCount) probabilities[frame] = data[lane] as number;
        }
      }
      return probabilities;
    },
    close: () => session.release(),
  };
}

/** Fewest estimated seconds: a step takes about .09 + .045 ms for each lane (measured). */
export function planLanes(frameCount: number): { laneCount: number; laneFrames: number } {
  let best = { laneCount: 1, laneFrames: frameCount };
  let bestCost = frameCount * 0.133;
  for (let laneCount = 2; laneCount <= maxLanes; laneCount *= 2) {
    const laneFrames = Math.ceil(frameCount / laneCount);
    const cost = (laneFrames + warmUpFrames) * (0.09 + 0.045 * laneCount);
    if (cost < bestCost) {
      bestCost = cost;
      best = { laneCount, laneFrames };
    }
  }
  return best;
}

/** Frame `frame` with its context as ±1; what lies outside of the sound is silence. */
function fillFrame(input: Float32Array, at: number, samples: Int16Array, frame: number): void {
  const from = frame * vadFrameSamples - contextSamples;
  for (let i = 0; i < inputSamples; i++) {
    const sample = from + i;
    input[at + i] = sample >= 0 && sample < samples.length ? (samples[sample] as number) / 32_768 : 0;
  }
}

function forgetBeforeFront(
  state: TypedTensor<'float32'>,
  laneCount: number,
  laneFrames: number,
  firstLaneFrame: number,
): void {
  for (let lane = 0; lane < laneCount && firstLaneFrame + lane * laneFrames < 0; lane++) {
    for (let part = 0; part < 2; part++) {
      const from = (part * laneCount + lane) * stateSize;
      state.data.fill(0, from, from + stateSize);
    }
  }
}
