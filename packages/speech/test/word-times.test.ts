import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignTokens, type TimedSpan, tidySpans } from '../src/word-times.ts';

/** Attention in which row r of every head looks at frames [from, to) of `looks[r]`, with a little everywhere else. */
function makeAttention(looks: [from: number, to: number][], headCount: number, columnCount: number): Float32Array {
  const attention = new Float32Array(headCount * looks.length * columnCount);
  for (let head = 0; head < headCount; head++) {
    looks.forEach(([from, to], row) => {
      const at = (head * looks.length + row) * columnCount;
      const inside = 0.9 / (to - from);
      for (let t = 0; t < columnCount; t++) attention[at + t] = t >= from && t < to ? inside : 0.1 / columnCount;
    });
  }
  return attention;
}

test('tokens begin where the decoder begins to look at them', () => {
  const looks: [number, number][] = [
    [0, 5],
    [0, 5],
    [0, 5],
    [10, 40],
    [40, 60],
    [60, 130],
    [130, 150],
  ];
  const starts = alignTokens({
    attention: makeAttention(looks, 2, 200),
    headCount: 2,
    rowCount: looks.length,
    columnCount: 200,
    promptRows: 3,
    frameCount: 150,
  });
  expect(starts).toHaveLength(5);
  expect(starts[0]).toBe(0);
  for (const [i, expected] of [0.8, 1.2, 2.6].entries()) {
    expect(Math.abs((starts[i + 1] as number) - expected)).toBeLessThan(0.07);
  }
  expect(starts[4]).toBe(3);
});

test('any attention: starts never decrease and lie within the sound', () => {
  const shapes = fc.record({
    rows: fc.integer({ min: 1, max: 12 }),
    promptRows: fc.integer({ min: 0, max: 3 }),
    frameCount: fc.integer({ min: 1, max: 60 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(shapes, ({ rows, promptRows, frameCount, seed }) => {
      const columnCount = 60;
      const rowCount = rows + promptRows;
      const attention = Float32Array.from({ length: 2 * rowCount * columnCount }, (_, i) =>
        Math.abs(Math.sin(i * 78.233 + seed)) < 0.2 ? 0 : Math.abs(Math.sin(i * 12.9898 + seed)),
      );
      const starts = alignTokens({ attention, headCount: 2, rowCount, columnCount, promptRows, frameCount });
      expect(starts).toHaveLength(rows + 1);
      let previous = 0;
      for (const start of starts) {
        expect(start).toBeGreaterThanOrEqual(previous);
        expect(start).toBeLessThanOrEqual(frameCount / 50);
        previous = start;
      }
    }),
  );
});

test('no rows and no sound give no times instead of failing', () => {
  const empty = {
    attention: new Float32Array(0),
    headCount: 8,
    rowCount: 3,
    columnCount: 0,
    promptRows: 3,
    frameCount: 0,
  };
  expect([...alignTokens(empty)]).toEqual([0]);
});

test('a word that swallowed the pause before or after a full stop is shortened on the side of the pause', () => {
  const spans: TimedSpan[] = [
    { start: 0, end: 0.3, endsSentence: false },
    { start: 0.3, end: 0.6, endsSentence: false },
    { start: 0.6, end: 3, endsSentence: true },
    { start: 3, end: 6, endsSentence: false },
    { start: 6, end: 6.3, endsSentence: false },
  ];
  tidySpans(spans, 7);
  expect(spans[2]).toMatchObject({ start: 0.6, end: 1.2 });
  expect(spans[3]).toMatchObject({ start: 5.4, end: 6 });
});

test('any spans: afterwards they are in order, do not overlap, and end within the sound', () => {
  const time = fc.double({ min: 0, max: 12, noNaN: true });
  const anySpans = fc.array(fc.record({ start: time, end: time, endsSentence: fc.boolean() }), { maxLength: 20 });
  fc.assert(
    fc.property(anySpans, (spans) => {
      tidySpans(spans, 10);
      let previous = 0;
      for (const { start, end } of spans) {
        expect(start).toBeGreaterThanOrEqual(previous);
        expect(end).toBeGreaterThanOrEqual(start);
        expect(end).toBeLessThanOrEqual(10);
        previous = end;
      }
    }),
  );
});
