import { segmentSchema, transcriptSchema, type Word } from '@studymate/contracts/transcript';
import { expect, test } from 'vitest';
import { assembleChunk, assembleTranscript, chunkLanguage } from '../src/assemble.ts';
import type { WindowTranscript } from '../src/window-transcript.ts';

/** A window in which each word lasts .3 s from `from` on, `gap` seconds apart. */
function windowOf(
  text: string,
  options: Partial<WindowTranscript> & { from?: number; gap?: number; probability?: number } = {},
) {
  const { from = 0.2, gap = 0, probability = 0.9, ...signs } = options;
  const words: Word[] = text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, i) => ({ word, start: from + i * (0.3 + gap), end: from + i * (0.3 + gap) + 0.3, probability }));
  const window: WindowTranscript = {
    language: 'en',
    languageProbability: 0.95,
    text,
    words,
    tokens: [],
    averageLogProbability: -0.2,
    compressionRatio: 1.4,
    temperature: 0,
    noSpeechProbability: 0.01,
    ...signs,
  };
  return window;
}

const spans = (...pairs: [number, number][]) => ({
  windows: pairs.map(([start, end]) => ({ start, end, sampleOffset: 0, sampleCount: 1 })),
});

test('segments are sentences with times in the recording, and ids from 0', () => {
  const segments = assembleChunk(spans([100, 120], [120, 140]), [
    windowOf('Dr. Smith has arrived early today. And then the rest of us'),
    windowOf('came in as well. The end of it was near.'),
  ]);
  expect(segments.map(({ text }) => text)).toEqual([
    'Dr. Smith has arrived early today.',
    'And then the rest of us',
    'came in as well.',
    'The end of it was near.',
  ]);
  expect(segments.map(({ id }) => id)).toEqual([0, 1, 2, 3]);
  expect(segments[0]).toMatchObject({ start: 100.2, end: 102, confidence: 0.9, flags: [] });
  expect(segments[2]?.start).toBe(120.2);
  for (const segment of segments) expect(() => segmentSchema.parse(segment)).not.toThrow();
});

test('a sentence that goes on in the next window is one segment when no pause lies between', () => {
  const first = windowOf('It goes on and', { from: 0 });
  const segments = assembleChunk(spans([0, 1.2], [1.2, 10]), [first, windowOf('on without a stop.', { from: 0 })]);
  expect(segments.map(({ text }) => text)).toEqual(['It goes on and on without a stop.']);
});

test('speech without punctuation is cut into segments of at most 12 s and 30 words', () => {
  const text = Array.from({ length: 80 }, (_, i) => `word${i}`).join(' ');
  const segments = assembleChunk(spans([0, 28]), [windowOf(text)]);
  expect(segments.map((segment) => segment.text).join(' ')).toBe(text);
  for (const { words, start, end } of segments) {
    expect(words.length).toBeLessThanOrEqual(30);
    expect(end - start).toBeLessThanOrEqual(12);
  }
});

test('languages without spaces are joined without spaces, with the spaces that the text has', () => {
  const japanese = windowOf('', { language: 'ja', text: '今日はNode js です。' });
  japanese.words = ['今日', 'は', 'Node', 'js', 'です。'].map((word, i) => ({
    word,
    start: i,
    end: i + 1,
    probability: 0.9,
  }));
  const [segment] = assembleChunk(spans([0, 10]), [japanese]);
  expect(segment?.text).toBe('今日はNode js です。');
});

test('a window without word times is one segment that spans the window', () => {
  const segments = assembleChunk(spans([5, 10], [10, 20]), [
    { ...windowOf('Some text here.'), words: [] },
    windowOf('Other text there now.'),
  ]);
  expect(segments.map(({ id, start, end, text }) => [id, start, end, text])).toEqual([
    [0, 5, 10, 'Some text here.'],
    [1, 10.2, 11.4, 'Other text there now.'],
  ]);
  expect(segments[0]?.confidence).toBeCloseTo(0.819, 3);
});

test('a stretch in another language says so, and is a segment of its own', () => {
  const french = windowOf('et puis la suite', { language: 'fr' });
  const windows = [windowOf('It goes on and on in the same language', { from: 0 }), french];
  const segments = assembleChunk(spans([0, 20], [20, 22]), windows);
  expect(segments.map(({ text, language }) => [text, language])).toEqual([
    ['It goes on and on in the same language', undefined],
    ['et puis la suite', 'fr'],
  ]);
});

test('what may not have been said is never given with high confidence', () => {
  const result = windowOf('No word of this was said here.', { probability: 0.95 });
  const unvoicedWords = result.words.map((_, i) => i);
  const [segment] = assembleChunk(spans([0, 10]), [{ ...result, unvoicedWords }]);
  expect(segment?.flags).toEqual(['possible_hallucination']);
  expect(segment?.confidence).toBe(0.5);
  for (const { probability } of segment?.words ?? []) expect(probability).toBe(0.5);
});

test('empty windows give no segment', () => {
  expect(assembleChunk(spans([0, 10]), [windowOf('')])).toEqual([]);
});

test('results that do not fit the chunk are refused', () => {
  expect(() => assembleChunk(spans([0, 10]), [])).toThrow(RangeError);
});

test.each([
  ['likely words', windowOf('This is what was really said here.'), []],
  ['unlikely words', windowOf('This is what was maybe said here.', { probability: 0.3 }), ['low_confidence']],
  ['a phrase in circles', windowOf('and so on and so on and so on and so on and so on'), ['repeated']],
  ['a word in circles', windowOf('no no no no no no no no no'), ['repeated']],
  ['three words alike', windowOf('very very very good indeed'), []],
  [
    'text that goes in circles',
    windowOf('All of it is one long loop.', { compressionRatio: 3 }),
    ['possible_hallucination'],
  ],
  [
    'a phantom phrase alone in doubtful sound',
    windowOf('Thank you.', { noSpeechProbability: 0.4 }),
    ['possible_hallucination'],
  ],
  ['the same phrase in clear speech', windowOf('Thank you.'), []],
  [
    'the same phrase after other speech',
    windowOf('This is all I had to say. Thank you.', { noSpeechProbability: 0.4 }),
    [],
  ],
  [
    'words in what sounds like no speech',
    windowOf('This was never said.', { noSpeechProbability: 0.9, probability: 0.6 }),
    ['possible_hallucination'],
  ],
  [
    'words faster than speech',
    windowOf('All of this came in no time at all.', { gap: -0.28 }),
    ['possible_hallucination'],
  ],
] as const)('flags: %s', (_, window, flags) => {
  const segments = assembleChunk(spans([0, 28]), [window]);
  expect([...new Set(segments.flatMap((segment) => segment.flags))]).toEqual(flags);
});

test('the same segment three times in a row is flagged the third time', () => {
  const segments = assembleChunk(spans([0, 28]), [windowOf('Here we go again. Here we go again. Here we go again.')]);
  expect(segments.map(({ flags }) => flags)).toEqual([[], [], ['repeated']]);
});

test('a transcript is the chunks in order with ids without gaps, in the language of most of the speech', () => {
  const chunk = (index: number, language: string, text: string) => ({
    schemaVersion: 1 as const,
    index,
    language,
    languageProbability: 0.9,
    segments: assembleChunk(spans([index * 30, index * 30 + 28]), [windowOf(text, { language })]),
    audioSeconds: 28,
    inferenceSeconds: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    cold: false,
    algorithm: 'test',
  });
  const transcript = assembleTranscript([
    chunk(1, 'en', 'A much longer part of it is in English. It goes on.'),
    chunk(0, 'de', 'Ein wenig Deutsch.'),
  ]);
  expect(() => transcriptSchema.parse(transcript)).not.toThrow();
  expect(transcript.language).toBe('en');
  expect(transcript.segments.map(({ id }) => id)).toEqual([0, 1, 2]);
  expect(transcript.text).toBe('Ein wenig Deutsch. A much longer part of it is in English. It goes on.');
  expect(assembleTranscript([])).toEqual({ language: null, text: '', segments: [] });
});

test('a chunk’s language is that of the windows that say something', () => {
  const chunk = spans([0, 10], [10, 20], [20, 40]);
  const results = [windowOf('Bonjour.', { language: 'fr' }), windowOf('Salut.', { language: 'fr' }), windowOf('')];
  expect(chunkLanguage(chunk, results)).toEqual({ language: 'fr', languageProbability: 0.95 });
  expect(chunkLanguage(spans([0, 10]), [windowOf('')])).toBeNull();
});
