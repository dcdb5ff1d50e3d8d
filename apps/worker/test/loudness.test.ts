import { expect, test } from 'vitest';
import { createLoudnessMeter, maxLoudnessValues } from '../src/stages/loudness.ts';

const measure = (...pieces: Int16Array[]) => {
  const meter = createLoudnessMeter();
  for (const piece of pieces) meter.push(piece);
  return [...meter.finish()];
};
const tone = (seconds: number, amplitude: number) =>
  Int16Array.from({ length: seconds * 16_000 }, (_, i) => (i % 2 === 0 ? amplitude : -amplitude));

test('the loudest stretch is 255, half of it half as much, silence 0, however the pieces are cut', () => {
  const whole = [...tone(0.1, 20_000), ...tone(0.1, 10_000), ...tone(0.1, 0)];
  const expected = [255, 128, 0];
  expect(measure(Int16Array.from(whole))).toEqual(expected);
  expect(measure(Int16Array.from(whole.slice(0, 1_234)), Int16Array.from(whole.slice(1_234)))).toEqual(expected);
});

test('a recording of any length has at most so many values, also when it is silent or empty', () => {
  expect(measure()).toEqual([]);
  expect(measure(tone(1, 0))).toEqual(Array(10).fill(0));
  const long = measure(...Array.from({ length: 400 }, () => tone(1, 5_000)));
  expect(long.length).toBeLessThanOrEqual(maxLoudnessValues);
  expect(new Set(long)).toEqual(new Set([255]));
});
