import { expect, test } from 'vitest';
import {
  createSeededRandom,
  createTokenChooser,
  findLoop,
  softmaxOver,
} from '../src/model-process/whisper-sampling.ts';

/** Ids 0–4 are text, 5 ends it, 6 and 7 are special. */
const options = { endOfText: 5, suppressed: [1], suppressedAtStart: [0, 5], random: createSeededRandom(1) };
const logits = Float32Array.of(4, 9, 3, 1, 0, 4.5, 20, 2);

test('the likeliest allowed token is chosen; its probability counts the whole vocabulary', () => {
  const chooser = createTokenChooser(options);
  const choice = chooser.choose(logits, { atStart: false, temperature: 0 });
  expect(choice.token).toBe(5);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  expect(choice.logProbability).toBeCloseTo(4.5 - Math.log(sum), 2);
  const allowed = [4, 3, 1, 0, 4.5].reduce((total, logit) => total + Math.exp(logit), 0);
  expect(choice.allowedLogProbability).toBeCloseTo(4.5 - Math.log(allowed), 2);
  expect(chooser.choose(logits, { atStart: true, temperature: 0 }).token).toBe(2);
});

test('sampling follows the probabilities, never takes what is suppressed, and repeats itself from the same seed', () => {
  const draw = (): number[] => {
    const chooser = createTokenChooser({ ...options, random: createSeededRandom(7) });
    return Array.from({ length: 4000 }, () => chooser.choose(logits, { atStart: false, temperature: 1 }).token);
  };
  const drawn = draw();
  expect(draw()).toEqual(drawn);
  expect(new Set(drawn)).toEqual(new Set([0, 2, 3, 4, 5]));
  const [share] = softmaxOver(logits, [5, 0, 2, 3, 4]);
  expect(Math.abs(drawn.filter((token) => token === 5).length / 4000 - (share as number))).toBeLessThan(0.03);
});

test.each([
  ['one token 24 times', [9, 8, ...Array<number>(24).fill(7)], { period: 1, length: 24 }],
  ['eight tokens four times', [1, ...Array.from({ length: 32 }, (_, i) => 10 + (i % 8))], { period: 8, length: 32 }],
  ['one token 20 times', Array<number>(20).fill(7), null],
  ['ten tokens three times', Array.from({ length: 30 }, (_, i) => i % 10), null],
  ['no repetition', Array.from({ length: 200 }, (_, i) => i * i), null],
  ['nothing', [], null],
] as const)('a loop is found at the end of the text: %s', (_, tokens, expected) => {
  expect(findLoop([...tokens])).toEqual(expected);
});
