import { expect, test } from 'vitest';
import { assembleChunk } from '../src/assemble.ts';
import { toSegmentDecodings } from '../src/segment-decodings.ts';
import type { WindowTranscript } from '../src/window-transcript.ts';

function window(start: number, end: number) {
  return { start, end, sampleOffset: 0, sampleCount: 1 };
}

/** Words of half a second each; the tokens of a word are its length and its place. */
function result(text: string, changes: Partial<WindowTranscript> = {}): WindowTranscript {
  const words = text
    .split(' ')
    .map((word, i) => ({ word, start: i / 2, end: i / 2 + 0.4, probability: 0.9, tokens: [word.length, i] }));
  return {
    language: 'en',
    languageProbability: 1,
    text,
    words,
    tokens: words.flatMap(({ tokens }) => tokens),
    temperature: 0,
    averageLogProbability: -0.1,
    compressionRatio: 1,
    noSpeechProbability: 0,
    ...changes,
  };
}

test('segments that end within a window and go over into the next: each has its words’ tokens and its first window', () => {
  const chunk = { windows: [window(10, 20), window(20, 30)] };
  const results = [
    result('We print. They bind and then'),
    result('sell it.', { temperature: 0.4, averageLogProbability: -0.7 }),
  ];
  const segments = assembleChunk(chunk, results);
  const decodings = toSegmentDecodings(chunk, results, segments);
  expect(decodings?.length).toBe(segments.length);
  expect(decodings?.flatMap(({ tokens }) => tokens)).toEqual(results.flatMap(({ tokens }) => tokens));
  segments.forEach((segment, i) => {
    expect(decodings?.[i]?.tokens.length).toBe(2 * segment.words.length);
    expect(decodings?.[i]?.windowStart).toBe(segment.start < 20 ? 10 : 20);
  });
});

test('a window without word times: its segment has all its tokens', () => {
  const chunk = { windows: [window(0, 5), window(5, 9)] };
  const results = [
    result('', { text: '', words: [], tokens: [] }),
    result('One two.', { words: [], tokens: [7, 8, 9] }),
  ];
  const segments = assembleChunk(chunk, results);
  expect(toSegmentDecodings(chunk, results, segments)).toMatchObject([{ tokens: [7, 8, 9], windowStart: 5 }]);
});

test('segments of other words: null', () => {
  const chunk = { windows: [window(0, 5)] };
  const [segment] = assembleChunk(chunk, [result('Something else.')]);
  expect(toSegmentDecodings(chunk, [result('One two.')], segment ? [segment] : [])).toBe(null);
});
