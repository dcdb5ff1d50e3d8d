import type { Chunk } from '@studymate/contracts/artifacts';
import { sampleRate } from './log-mel.ts';

/**
 * Cuts a recording into windows that Whisper can take (at most 28 s), from voice probabilities alone and as they come.
 *
 * A frame is speech when its probability reaches `onset`, or `offset` beside a frame that is speech. Every frame of
 * speech lies in exactly one window and windows never overlap; long silences lie in none. Each window costs the
 * encoder the same however short it is, so windows are kept long: a pause closes one at once only if it is long, and
 * the longer the window already is, the shorter the pause that will do.
 */
export const frameSamples = 512;
const framesPerSecond = sampleRate / frameSamples;

/** Samples of the recording, `end` not included. */
export interface SampleWindow {
  startSample: number;
  endSample: number;
}

export interface WindowCutterOptions {
  /** Longest window; Whisper hears at most 30 s. */
  maxSeconds?: number;
  /**
   * The first window closes at the first pause of .3 s after `minSeconds`, at the latest at `maxSeconds`, so that the
   * first words come soon. Null: it is like the others.
   */
  firstWindow?: { minSeconds: number; maxSeconds: number } | null;
  /** Sound kept on both sides of speech. */
  paddingSeconds?: number;
  onset?: number;
  offset?: number;
}

export interface WindowCutter {
  /** One probability for each frame of 512 samples, in order. Returns the windows that became complete. */
  push(probabilities: ArrayLike<number>): SampleWindow[];
  /** The end of the recording, which may have some samples more than whole frames (the default). Call once. */
  flush(totalSamples?: number): SampleWindow[];
  /** No coming window begins before this sample: what lies before it can be forgotten. */
  readonly earliestNeededSample: number;
}

const firstWindowPauseFrames = Math.round(0.3 * framesPerSecond);
/** A pause must be at least this long to be a place for a cut; .1 s, about a stop consonant. */
const minPauseFrames = 3;
/** Pauses longer than this are no better than each other. */
const bestPauseFrames = Math.round(0.8 * framesPerSecond);
/** How far back a window may begin before the onset while frames stay above the offset. */
const maxBackFrames = Math.round(framesPerSecond);

interface Pause {
  startFrame: number;
  endFrame: number;
}

export function createWindowCutter(options: WindowCutterOptions = {}): WindowCutter {
  const { firstWindow = { minSeconds: 6, maxSeconds: 14 }, onset = 0.5, offset = 0.35 } = options;
  const maxFrames = Math.floor((options.maxSeconds ?? 28) * framesPerSecond);
  const padding = Math.round((options.paddingSeconds ?? 0.2) * framesPerSecond);
  const firstMinFrames = firstWindow === null ? 0 : Math.floor(firstWindow.minSeconds * framesPerSecond);
  const firstMaxFrames =
    firstWindow === null ? maxFrames : Math.min(maxFrames, Math.floor(firstWindow.maxSeconds * framesPerSecond));

  // Probabilities from frame `base` on; everything before is decided.
  let base = 0;
  let known: number[] = [];
  let isFirst = firstWindow !== null;
  let start: number | null = null;
  let speaking = false;
  let lastSpeechEnd = 0;
  let previousEnd = 0;
  let pauses: Pause[] = [];
  let ready: SampleWindow[] = [];

  const probabilityAt = (frame: number): number => known[frame - base] ?? 0;

  const emit = (endFrame: number): void => {
    ready.push({ startSample: (start as number) * frameSamples, endSample: endFrame * frameSamples });
    previousEnd = endFrame;
    start = null;
    pauses = [];
    isFirst = false;
  };

  const open = (frame: number): void => {
    let from = frame;
    const earliest = Math.max(previousEnd, base, frame - maxBackFrames);
    while (from > earliest && probabilityAt(from - 1) >= offset) from--;
    start = Math.max(previousEnd, base, from - padding);
  };

  /** Closes the window at `cut` and looks again at the frames after it, which are already known. */
  const cutAt = (cut: number, nextFrame: number): void => {
    const wasSpeaking = speaking;
    const inPause = pauses.find((pause) => cut > pause.startFrame && cut <= pause.endFrame) ?? null;
    // In a long pause the middle is left out: each side keeps its padding.
    const end = inPause === null ? cut : Math.min(cut, inPause.startFrame + padding);
    emit(end);
    speaking = inPause === null && wasSpeaking;
    if (inPause === null) {
      // Cut within speech: the next window begins at once, or the frames above the offset alone would be lost.
      previousEnd = cut;
      start = cut;
      speaking = true;
      lastSpeechEnd = cut;
    }
    for (let frame = cut; frame < nextFrame; frame++) step(frame);
  };

  const step = (frame: number): void => {
    const probability = probabilityAt(frame);
    const isSpeech = probability >= onset || (speaking && probability >= offset);
    if (start === null) {
      if (!isSpeech) return;
      open(frame);
      lastSpeechEnd = frame;
    }
    const from = start as unknown as number;
    if (isSpeech) {
      if (frame > lastSpeechEnd) {
        // Frames above the offset just before the onset belong to the speech.
        let endFrame = frame;
        while (endFrame > lastSpeechEnd && probabilityAt(endFrame - 1) >= offset) endFrame--;
        if (endFrame - lastSpeechEnd >= minPauseFrames) pauses.push({ startFrame: lastSpeechEnd, endFrame });
      }
      lastSpeechEnd = frame + 1;
    }
    speaking = isSpeech;

    const length = frame + 1 - from;
    const silence = frame + 1 - lastSpeechEnd;
    if (silence >= closingPause(length, isFirst, firstMinFrames, maxFrames)) {
      emit(Math.min(lastSpeechEnd + padding, frame + 1));
      return;
    }
    const limit = isFirst ? firstMaxFrames : maxFrames;
    if (length < limit) return;
    if (silence >= minPauseFrames) pauses.push({ startFrame: lastSpeechEnd, endFrame: frame + 1 });
    cutAt(chooseCut(from, limit, pauses, probabilityAt), frame + 1);
  };

  const forget = (): void => {
    const keepFrom = start ?? Math.max(previousEnd, base + known.length - maxBackFrames - padding);
    if (keepFrom - base < 1024) return;
    known = known.slice(keepFrom - base);
    base = keepFrom;
  };

  const take = (): SampleWindow[] => {
    const windows = ready;
    ready = [];
    return windows;
  };

  return {
    push(probabilities) {
      for (let i = 0; i < probabilities.length; i++) {
        known.push(probabilities[i] as number);
        step(base + known.length - 1);
        forget();
      }
      return take();
    },
    flush(totalSamples = (base + known.length) * frameSamples) {
      if (start !== null) {
        const nextFrame = base + known.length;
        const atTheEnd = lastSpeechEnd + padding >= nextFrame;
        emit(Math.min(lastSpeechEnd + padding, nextFrame));
        const last = ready.at(-1) as SampleWindow;
        // The samples after the last whole frame have no probability; they go with speech that reaches them.
        if (atTheEnd) last.endSample = Math.max(last.endSample, totalSamples);
        last.endSample = Math.min(last.endSample, totalSamples);
      }
      return take().filter((window) => window.endSample > window.startSample);
    },
    get earliestNeededSample() {
      const next = base + known.length;
      return (start ?? Math.max(previousEnd, next - maxBackFrames - padding, 0)) * frameSamples;
    },
  };
}

/** How long a silence must be to close a window of `length` frames at once. */
function closingPause(length: number, isFirst: boolean, firstMinFrames: number, maxFrames: number): number {
  if (isFirst && length >= firstMinFrames) return firstWindowPauseFrames;
  const [patient, hasty] = [5 * framesPerSecond, 1 * framesPerSecond];
  const filled = Math.min(1, Math.max(0, (length / maxFrames - 0.35) / 0.4));
  return Math.round(patient + (hasty - patient) * filled);
}

/** The middle of the best pause of the window's later part; without one the frame that sounds least like speech. */
function chooseCut(
  from: number,
  limit: number,
  pauses: readonly Pause[],
  probabilityAt: (frame: number) => number,
): number {
  let best: number | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const { startFrame, endFrame } of pauses) {
    const middle = Math.ceil((startFrame + endFrame) / 2);
    const position = (middle - from) / limit;
    if (position < 0.4) continue;
    // A later cut spares encoder runs, a longer pause is surer to be a sentence's end.
    const score = Math.min(endFrame - startFrame, bestPauseFrames) / bestPauseFrames + 2 * position;
    if (score > bestScore) {
      bestScore = score;
      best = middle;
    }
  }
  if (best !== null) return best;

  let quietest = from + limit;
  let least = Number.POSITIVE_INFINITY;
  // The last frame's right neighbour is not known yet.
  for (let frame = from + limit - 2; frame >= from + Math.floor(limit * 0.7); frame--) {
    const around = probabilityAt(frame - 1) + 2 * probabilityAt(frame) + probabilityAt(frame + 1);
    if (around < least) {
      least = around;
      quietest = frame;
    }
  }
  return quietest;
}

/** Windows that one job transcribes. */
export interface WindowGroup {
  index: number;
  windows: SampleWindow[];
}

export interface Chunker {
  /** Returns the chunk that became complete, if any. */
  push(window: SampleWindow): WindowGroup | null;
  /** What is left at the end of the recording. */
  flush(): WindowGroup | null;
}

/**
 * Groups windows into chunks: the first chunk is one window, so that its words come soon; the others hold about
 * `targetSeconds` of sound (120), so that many workers can share a lecture and a lost job costs little.
 */
export function createChunker(options: { targetSeconds?: number } = {}): Chunker {
  const targetSamples = (options.targetSeconds ?? 120) * sampleRate;
  let index = 0;
  let windows: SampleWindow[] = [];
  let sampleCount = 0;

  const close = (): WindowGroup | null => {
    if (windows.length === 0) return null;
    const group = { index, windows };
    index++;
    windows = [];
    sampleCount = 0;
    return group;
  };

  return {
    push(window) {
      windows.push(window);
      sampleCount += window.endSample - window.startSample;
      return index === 0 || sampleCount >= targetSamples ? close() : null;
    },
    flush: close,
  };
}

/** The artifact that describes a chunk whose sound is its windows' samples one after the other. */
export function toChunk(group: WindowGroup): Chunk {
  let sampleOffset = 0;
  const windows = group.windows.map(({ startSample, endSample }) => {
    const sampleCount = endSample - startSample;
    const window = { start: startSample / sampleRate, end: endSample / sampleRate, sampleOffset, sampleCount };
    sampleOffset += sampleCount;
    return window;
  });
  return { schemaVersion: 1, index: group.index, windows };
}
