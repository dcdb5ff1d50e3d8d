import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spreadOverSpeech, toSpeechStretches } from '../src/speech-stretches.ts';

test('frames of speech become stretches; a short gap is bridged, a longer one parts them', () => {
  const probabilities = [0.1, 0.9, 0.9, 0.2, 0.8, 0.1, 0.1, 0.1, 0.7, 0];
  const stretches = toSpeechStretches({ probabilities, frameSeconds: 0.1, minPauseSeconds: 0.2 });
  expect(stretches).toEqual([
    { start: expect.closeTo(0.1), end: expect.closeTo(0.5) },
    { start: expect.closeTo(0.8), end: expect.closeTo(0.9) },
  ]);
  expect(toSpeechStretches({ probabilities: [0, 0.4], frameSeconds: 0.1 })).toEqual([]);
});

test('words get time by their letters, and none lies in a pause', () => {
  const stretches = [
    { start: 1, end: 2 },
    { start: 5, end: 6 },
  ];
  expect(spreadOverSpeech(['fours', 'fives', 'a fine', 'line,'], stretches, 8)).toEqual([
    { start: 1, end: expect.closeTo(1.526, 2) },
    { start: expect.closeTo(1.526, 2), end: expect.closeTo(5.053, 2) },
    { start: expect.closeTo(5.053, 2), end: expect.closeTo(5.579, 2) },
    { start: expect.closeTo(5.579, 2), end: 6 },
  ]);
  expect(spreadOverSpeech(['ab', 'cd'], stretches, 8)).toEqual([stretches[0], stretches[1]]);
});

test('without speech the words are spread over the whole sound, and no words give no spans', () => {
  expect(spreadOverSpeech(['ab', '…'], [], 3)).toEqual([
    { start: 0, end: 2 },
    { start: 2, end: 3 },
  ]);
  expect(spreadOverSpeech([], [], 3)).toEqual([]);
});

test('whatever the words and stretches, spans are in order, have a length, and lie within the sound', () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 40 }), gaps, (words, steps) => {
      let at = 0;
      const stretches = steps.map(([pause, speech]) => {
        const start = at + pause / 100;
        at = start + speech / 100;
        return { start, end: at };
      });
      const length = at + 1;
      const spans = spreadOverSpeech(words, stretches, length);
      expect(spans).toHaveLength(words.length);
      let previous = 0;
      for (const { start, end } of spans) {
        expect(start).toBeGreaterThanOrEqual(previous - 1e-6);
        expect(end).toBeGreaterThan(start);
        previous = end;
      }
      expect(previous).toBeLessThanOrEqual(length);
    }),
  );
});
