import { frameSamples } from './cut-windows.ts';
import { sampleRate } from './log-mel.ts';

/** Probabilities of speech, one for each frame of 512 samples at 16 kHz. */
export type VoiceFrames = ArrayLike<number>;

const frameSeconds = frameSamples / sampleRate;
const onset = 0.5;
const offset = 0.35;
/** Word times may be so far off. */
const toleranceSeconds = 0.25;

export interface VoiceMeasure {
  speechSeconds: number;
  totalSeconds: number;
  /** Of the whole length, 0 to 1. */
  share: number;
}

/** How much of a stretch is speech. */
export function measureVoice(frames: VoiceFrames): VoiceMeasure {
  let count = 0;
  for (let i = 0; i < frames.length; i++) if ((frames[i] as number) >= onset) count++;
  return {
    speechSeconds: count * frameSeconds,
    totalSeconds: frames.length * frameSeconds,
    share: frames.length === 0 ? 0 : count / frames.length,
  };
}

/** The greatest probability from `startSeconds` to `endSeconds`, and a little around. */
export function greatestVoice(frames: VoiceFrames, startSeconds: number, endSeconds: number): number {
  const from = Math.max(0, Math.floor((startSeconds - toleranceSeconds) / frameSeconds));
  const to = Math.min(frames.length, Math.ceil((endSeconds + toleranceSeconds) / frameSeconds));
  let greatest = 0;
  for (let i = from; i < to; i++) greatest = Math.max(greatest, frames[i] as number);
  return greatest;
}

export interface SpeechOnly {
  samples: Int16Array;
  /** A time in `samples` as a time in the whole. */
  toWhole(seconds: number): number;
}

/**
 * The sound with all that is not speech left out, each stretch of speech with `paddingSeconds` around it.
 * @returns null when there is no speech, or nothing to leave out
 */
export function keepSpeechOnly(
  samples: Int16Array,
  frames: VoiceFrames,
  { paddingSeconds = 0.3 }: { paddingSeconds?: number } = {},
): SpeechOnly | null {
  const padding = Math.round(paddingSeconds * sampleRate);
  const spans: { from: number; to: number }[] = [];
  let speaking = false;
  for (let i = 0; i < frames.length; i++) {
    const probability = frames[i] as number;
    speaking = probability >= onset || (speaking && probability >= offset);
    if (!speaking) continue;
    const from = Math.max(0, i * frameSamples - padding);
    const to = Math.min(samples.length, (i + 1) * frameSamples + padding);
    const last = spans.at(-1);
    if (last && from <= last.to) last.to = to;
    else spans.push({ from, to });
  }
  const length = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  if (length === 0 || length === samples.length) return null;
  const kept = new Int16Array(length);
  const starts: number[] = [];
  let at = 0;
  for (const { from, to } of spans) {
    starts.push(at);
    kept.set(samples.subarray(from, to), at);
    at += to - from;
  }
  return {
    samples: kept,
    toWhole(seconds) {
      const sample = seconds * sampleRate;
      let span = starts.length - 1;
      while (span > 0 && sample < (starts[span] as number)) span--;
      const { from, to } = spans[span] as (typeof spans)[number];
      return Math.min(from + sample - (starts[span] as number), to) / sampleRate;
    },
  };
}
