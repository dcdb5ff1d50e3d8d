import { expect, test } from 'vitest';
import type { TimedWord } from '../src/window-transcript.ts';
import { calibrateWords, confidenceOf, rawProbability, signalWeights, toSignals } from '../src/word-confidence.ts';

const heard = (...probabilities: number[]): TimedWord => ({
  word: 'word',
  start: 0,
  end: 0.3,
  probability: 0.5,
  logProbabilities: probabilities.map(Math.log),
});
const window = { averageLogProbability: -0.3 };
const calibrated = (word: TimedWord, averageLogProbability = -0.3) =>
  calibrateWords([heard(0.9), word], { averageLogProbability })[1]?.probability as number;

test('the raw probability of a word is the mean of its tokens’, or what an engine without tokens says', () => {
  expect(rawProbability(heard(0.8, 0.4))).toBeCloseTo(0.6);
  expect(rawProbability({ ...heard(), probability: 0.7 })).toBe(0.7);
});

test('a word is never less likely for a likelier token, a likelier window, or for being the first', () => {
  expect(Math.min(...signalWeights)).toBeGreaterThanOrEqual(0);
  const rising = [0, 0.001, 0.1, 0.3, 0.5, 0.9, 0.999, 1].map((probability) => calibrated(heard(0.99, probability)));
  expect(rising).toEqual([...rising].sort((a, b) => a - b));
  expect(calibrated(heard(0.6), -0.1)).toBeGreaterThan(calibrated(heard(0.6), -1));
  const [first, second] = calibrateWords([heard(0.5), heard(0.5)], window);
  expect(first?.probability).toBeGreaterThan(second?.probability as number);
});

test('the least likely token of a word counts', () => {
  expect(calibrated(heard(0.99, 0.2))).toBe(calibrated(heard(0.2)));
});

test('a number in digits is likelier to be right than a word with the same signs', () => {
  expect(calibrated({ ...heard(0.5), word: '1476' })).toBeGreaterThan(calibrated(heard(0.5)));
  expect(calibrated({ ...heard(0.5), word: '٤' })).toBe(calibrated({ ...heard(0.5), word: '4' }));
});

test('confidences are probabilities, whatever the signals are', () => {
  for (const averageLogProbability of [0, -0.3, -50, Number.NEGATIVE_INFINITY]) {
    for (const word of [heard(1), heard(0), heard(0.5, 0)]) {
      const probability = calibrated(word, averageLogProbability);
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
    }
  }
});

test('times and text stay as they are, and so do words of engines that tell nothing of tokens', () => {
  const untold: TimedWord = { word: 'x', start: 1, end: 2, probability: 0.7 };
  const [told, same] = calibrateWords([heard(0.3), untold], window);
  expect(told).toMatchObject({ word: 'word', start: 0, end: 0.3 });
  expect(same).toEqual(untold);
  expect(toSignals(untold, true, window)).toBeNull();
  expect(calibrateWords([], window)).toEqual([]);
});

test('a sum of nothing is an even chance', () => {
  expect(confidenceOf([0, 0, 0], [1, 1, 1], 0)).toBe(0.5);
});
