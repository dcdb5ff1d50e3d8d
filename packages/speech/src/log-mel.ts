import { binCount, createRealFft400, fftSize } from './real-fft-400.ts';

/**
 * Whisper's input: 80 log-mel bands (large-v3: 128) of 3000 frames (30 s, a frame each 10 ms), as openai/whisper's audio.py and
 * WhisperFeatureExtractor make it: Hann window of 400, hop 160, reflected edges, power spectrum, Slaney mel bands,
 * log10 of at least 1e-10, nothing more than 8 below the loudest, then (x + 4) / 4.
 */
export const melBandCount = 80;
export const melFrameCount = 3000;
export const sampleRate = 16_000;
export const hopSamples = 160;
const windowSamples = melFrameCount * hopSamples;
const edge = fftSize / 2;
const logFloor = -10;

export interface LogMel {
  /**
   * @param samples signed 16-bit, 16 kHz, mono; what lies beyond 30 s is ignored, what is missing counts as silence
   * @returns a new array [bands, 3000], band by band, as the encoder takes it
   */
  compute(samples: Int16Array): Float32Array;
}

/** Makes the tables and buffers (about 4 MB) once; `compute` then takes about 25 ms for a full window. */
export function createLogMel(bandCount: number = melBandCount): LogMel {
  const fft = createRealFft400();
  const bands = createMelBands(bandCount);
  const hann = new Float64Array(fftSize);
  // The scale from 16-bit to ±1 is folded into the window.
  for (let i = 0; i < fftSize; i++) hann[i] = (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / fftSize)) / 32_768;
  const padded = new Float64Array(windowSamples + 2 * edge);
  const frame = new Float64Array(fftSize);
  const power = new Float64Array(binCount);

  return {
    compute(samples) {
      const sampleCount = Math.min(samples.length, windowSamples);
      fillPadded(padded, samples, sampleCount);
      const output = new Float32Array(bandCount * melFrameCount);
      // Frame f covers samples f·160 - 200 to f·160 + 199: later frames hold nothing but the silence behind the sound.
      const soundFrames = Math.min(melFrameCount, Math.ceil((sampleCount + edge) / hopSamples));
      let loudest = logFloor;
      for (let f = 0; f < soundFrames; f++) {
        const from = f * hopSamples;
        for (let i = 0; i < fftSize; i++) frame[i] = (padded[from + i] as number) * (hann[i] as number);
        fft.powerSpectrum(frame, power);
        for (let m = 0; m < bandCount; m++) {
          const first = bands.firstBin[m] as number;
          const weightsFrom = bands.offset[m] as number;
          const count = (bands.offset[m + 1] as number) - weightsFrom;
          let energy = 0;
          for (let i = 0; i < count; i++) {
            energy += (bands.weights[weightsFrom + i] as number) * (power[first + i] as number);
          }
          const value = energy > 1e-10 ? Math.log10(energy) : logFloor;
          if (value > loudest) loudest = value;
          output[m * melFrameCount + f] = value;
        }
      }
      scale(output, bandCount, soundFrames, loudest);
      return output;
    },
  };
}

/** Sound with 200 samples mirrored at both ends of the 30 s (the end matters only when the window is full). */
function fillPadded(padded: Float64Array, samples: Int16Array, sampleCount: number): void {
  padded.fill(0);
  for (let i = 0; i < sampleCount; i++) padded[edge + i] = samples[i] as number;
  for (let i = 1; i <= edge; i++) {
    padded[edge - i] = padded[edge + i] as number;
    padded[edge + windowSamples - 1 + i] = padded[edge + windowSamples - 1 - i] as number;
  }
}

function scale(output: Float32Array, bandCount: number, soundFrames: number, loudest: number): void {
  const floor = Math.max(logFloor, loudest - 8);
  const silence = (floor + 4) / 4;
  for (let m = 0; m < bandCount; m++) {
    const row = m * melFrameCount;
    for (let i = row; i < row + soundFrames; i++) {
      const value = output[i] as number;
      output[i] = (Math.max(value, floor) + 4) / 4;
    }
    output.fill(silence, row + soundFrames, row + melFrameCount);
  }
}

interface MelBands {
  /** The first FFT bin with weight, by band. */
  firstBin: Int32Array;
  /** Where each band's weights begin in `weights`; one more entry than bands. */
  offset: Int32Array;
  weights: Float64Array;
}

/** Slaney's scale and area normalisation, as librosa.filters.mel(sr=16000, n_fft=400, n_mels=bandCount) has them. */
function createMelBands(bandCount: number): MelBands {
  const topMel = hertzToMel(sampleRate / 2);
  const edges = Array.from({ length: bandCount + 2 }, (_, i) => melToHertz((topMel * i) / (bandCount + 1)));
  const firstBin = new Int32Array(bandCount);
  const offset = new Int32Array(bandCount + 1);
  const weights: number[] = [];
  for (let m = 0; m < bandCount; m++) {
    const [low, centre, high] = edges.slice(m, m + 3) as [number, number, number];
    offset[m] = weights.length;
    for (let bin = 0; bin < binCount; bin++) {
      const hertz = (bin * sampleRate) / fftSize;
      const weight = Math.min((hertz - low) / (centre - low), (high - hertz) / (high - centre)) * (2 / (high - low));
      if (weight <= 0) continue;
      if (weights.length === offset[m]) firstBin[m] = bin;
      weights.push(weight);
    }
  }
  offset[bandCount] = weights.length;
  return { firstBin, offset, weights: Float64Array.from(weights) };
}

const hertzPerMel = 200 / 3;
const logFromHertz = 1000;
const logFromMel = logFromHertz / hertzPerMel;
const logStep = Math.log(6.4) / 27;

function hertzToMel(hertz: number): number {
  return hertz < logFromHertz ? hertz / hertzPerMel : logFromMel + Math.log(hertz / logFromHertz) / logStep;
}

function melToHertz(mel: number): number {
  return mel < logFromMel ? mel * hertzPerMel : logFromHertz * Math.exp(logStep * (mel - logFromMel));
}
