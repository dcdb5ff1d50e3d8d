import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createChunker,
  createWindowCutter,
  frameSamples,
  type SampleWindow,
  toChunk,
  type WindowCutterOptions,
} from '../src/cut-windows.ts';

const frames = (seconds: number): number => Math.round((seconds * 16_000) / frameSamples);

/** [probability, seconds] pairs as frames. */
function sound(...parts: [probability: number, seconds: number][]): number[] {
  return parts.flatMap(([probability, seconds]) => Array<number>(frames(seconds)).fill(probability));
}

function cut(probabilities: number[], options?: WindowCutterOptions, extraSamples = 0): SampleWindow[] {
  const cutter = createWindowCutter(options);
  return [...cutter.push(probabilities), ...cutter.flush(probabilities.length * frameSamples + extraSamples)];
}

/** Frames of speech by the definition that the cutter gives. */
function speechFrames(probabilities: number[]): number[] {
  let speaking = false;
  return probabilities.flatMap((probability, frame) => {
    speaking = probability >= 0.5 || (speaking && probability >= 0.35);
    return speaking ? [frame] : [];
  });
}

const seconds = ({ startSample, endSample }: SampleWindow): number => (endSample - startSample) / 16_000;

/** Runs of like probabilities, so that pauses and long stretches of speech come up, with some noise in them. */
const recordings = fc
  .array(
    fc.record({
      level: fc.constantFrom(0, 0.02, 0.3, 0.36, 0.45, 0.5, 0.6, 0.95, 1),
      length: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1200 })),
      jitter: fc.double({ min: 0, max: 0.3, noNaN: true }),
    }),
    { maxLength: 25 },
  )
  .map((runs) =>
    runs.flatMap(({ level, length, jitter }) =>
      Array.from({ length }, (_, i) => Math.min(1, Math.max(0, level + jitter * Math.sin(i * 12.9898)))),
    ),
  );

test('any recording: every frame of speech lies in exactly one window, and no window is too long or out of order', () => {
  fc.assert(
    fc.property(recordings, fc.integer({ min: 0, max: 511 }), (probabilities, extraSamples) => {
      const windows = cut(probabilities, {}, extraSamples);
      let previousEnd = 0;
      const covered = new Set<number>();
      for (const [i, window] of windows.entries()) {
        expect(window.startSample).toBeGreaterThanOrEqual(previousEnd);
        expect(window.endSample).toBeGreaterThan(window.startSample);
        expect(seconds(window)).toBeLessThanOrEqual(i === 0 ? 14.1 : 28.1);
        previousEnd = window.endSample;
        for (let f = window.startSample / frameSamples; f < window.endSample / frameSamples; f++) covered.add(f);
      }
      expect(previousEnd).toBeLessThanOrEqual(probabilities.length * frameSamples + extraSamples);
      expect(speechFrames(probabilities).filter((frame) => !covered.has(frame))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('any recording: the windows do not depend on how the probabilities arrive, and never begin before the needed sample', () => {
  fc.assert(
    fc.property(recordings, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (probabilities, sizes) => {
      const cutter = createWindowCutter();
      const windows: SampleWindow[] = [];
      let needed = 0;
      const take = (fresh: SampleWindow[]): void => {
        for (const window of fresh) expect(window.startSample).toBeGreaterThanOrEqual(needed);
        windows.push(...fresh);
      };
      for (let at = 0, turn = 0; at < probabilities.length; turn++) {
        const size = sizes[turn % sizes.length] as number;
        take(cutter.push(probabilities.slice(at, at + size)));
        expect(cutter.earliestNeededSample).toBeGreaterThanOrEqual(needed);
        needed = cutter.earliestNeededSample;
        at += size;
      }
      take(cutter.flush(probabilities.length * frameSamples));
      expect(windows).toEqual(cut(probabilities));
    }),
    { numRuns: 100 },
  );
});

test('silence gives no window', () => {
  expect(cut(sound([0.01, 3600]))).toEqual([]);
  expect(cut([])).toEqual([]);
});

test('long silences are dropped and speech keeps its padding', () => {
  const windows = cut(sound([0, 20], [1, 5], [0, 60], [1, 5], [0, 20]), { firstWindow: null, paddingSeconds: 0.192 });
  expect(windows.map((w) => [w.startSample / frameSamples, w.endSample / frameSamples])).toEqual([
    [frames(20) - 6, frames(25) + 6],
    [frames(20) + frames(5) + frames(60) - 6, frames(20) + frames(5) + frames(60) + frames(5) + 6],
  ]);
});

test('the first window closes at the first good pause after six seconds, even when the next comes much later', () => {
  const [first] = cut(sound([1, 3], [0, 0.5], [1, 4], [0, 0.4], [1, 60]));
  expect(seconds(first as SampleWindow)).toBeGreaterThan(7);
  expect(seconds(first as SampleWindow)).toBeLessThan(8);
});

test('a full window is cut in its longest late pause', () => {
  const [first] = cut(sound([1, 20], [0, 0.6], [1, 5], [0, 0.15], [1, 20]), { firstWindow: null });
  expect((first as SampleWindow).endSample / 16_000).toBeGreaterThan(20);
  expect((first as SampleWindow).endSample / 16_000).toBeLessThan(20.7);
});

test('speech without a pause is cut where it sounds least like speech, and nothing is lost', () => {
  const windows = cut(sound([1, 25], [0.6, 0.032], [1, 60]), { firstWindow: null });
  expect(windows[0]?.endSample).toBe(windows[1]?.startSample);
  expect((windows[0] as SampleWindow).endSample / frameSamples).toBe(frames(25));
});

test('speech up to the very end takes the samples after the last whole frame', () => {
  const probabilities = sound([1, 4]);
  expect(cut(probabilities, {}, 300).at(-1)?.endSample).toBe(probabilities.length * frameSamples + 300);
});

test('chunks: the first is one window, the others about two minutes, none is lost', () => {
  const chunker = createChunker();
  const windows = Array.from({ length: 20 }, (_, i) => ({ startSample: i * 400_000, endSample: (i + 1) * 400_000 }));
  const groups = [...windows.map((window) => chunker.push(window)), chunker.flush()].filter((group) => group !== null);
  expect(groups.map((group) => group.windows.length)).toEqual([1, 5, 5, 5, 4]);
  expect(groups.map((group) => group.index)).toEqual([0, 1, 2, 3, 4]);
  expect(groups.flatMap((group) => group.windows)).toEqual(windows);
  expect(chunker.flush()).toBeNull();
});

test('a chunk says where each window’s sound begins in it', () => {
  const windows = [
    { startSample: 16_000, endSample: 32_000 },
    { startSample: 64_000, endSample: 72_000 },
  ];
  expect(toChunk({ index: 3, windows })).toEqual({
    schemaVersion: 1,
    index: 3,
    windows: [
      { start: 1, end: 2, sampleOffset: 0, sampleCount: 16_000 },
      { start: 4, end: 4.5, sampleOffset: 16_000, sampleCount: 8000 },
    ],
  });
});
