import { expect, test } from 'vitest';
import { createSampleBuffer } from '../src/stages/sample-buffer.ts';

const held = () => {
  const buffer = createSampleBuffer();
  for (const piece of [[0, 1, 2], [], [3], [4, 5, 6, 7]]) buffer.append(Int16Array.from(piece));
  return buffer;
};

test('samples are found by their position over the borders of pieces, and nothing else of the target changes', () => {
  const buffer = held();
  expect(buffer.length).toBe(8);
  const target = new Int16Array(7).fill(9);
  buffer.copy(2, 6, target);
  expect([...target]).toEqual([2, 3, 4, 5, 9, 9, 9]);
});

test('what lies before the forgotten sample is gone; the rest keeps its positions', () => {
  const buffer = held();
  buffer.forget(4);
  const target = new Int16Array(4);
  buffer.copy(4, 8, target);
  expect([...target]).toEqual([4, 5, 6, 7]);
  expect(() => buffer.copy(3, 5, target)).toThrow(RangeError);
  buffer.forget(2);
  expect(() => buffer.copy(3, 5, target)).toThrow(RangeError);
});

test('much more than it holds at a time passes through, whatever the pieces and whatever is forgotten', () => {
  const buffer = createSampleBuffer();
  const piece = new Int16Array(70_001);
  const target = new Int16Array(2);
  // The sample at each position is its position, as far as 16 bits go. Now and then four minutes are needed at once.
  for (let from = 0; from < 20_000_000; from += piece.length) {
    for (let i = 0; i < piece.length; i++) piece[i] = from + i;
    buffer.append(piece);
    if (Math.floor(from / 4_000_000) % 2 === 0) continue;
    const first = buffer.length - 100_000;
    buffer.forget(first);
    for (const start of [first, buffer.length - 2]) {
      buffer.copy(start, start + 2, target);
      expect([...target]).toEqual([...Int16Array.of(start, start + 1)]);
    }
  }
});

test.each([
  ['after the end', 6, 9, 9],
  ['more than the target holds', 0, 3, 2],
])('%s is refused', (_, start, end, room) => {
  expect(() => held().copy(start, end, new Int16Array(room))).toThrow(RangeError);
});
