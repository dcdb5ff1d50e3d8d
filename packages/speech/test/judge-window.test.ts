import { expect, test } from 'vitest';
import { isDoubtful, judgeWindow, markUnvoiced } from '../src/judge-window.ts';
import type { WindowTranscript } from '../src/window-transcript.ts';

/** Each word lasts .3 s, .1 s lie between them. */
function windowOf(text: string, options: Partial<WindowTranscript> & { from?: number } = {}): WindowTranscript {
  const { from = 0, ...signs } = options;
  const words = text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, i) => ({ word, start: from + i * 0.4, end: from + i * 0.4 + 0.3, probability: 0.9 }));
  return {
    language: 'en',
    languageProbability: 0.95,
    text,
    words,
    tokens: [],
    temperature: 0,
    averageLogProbability: -0.2,
    compressionRatio: 1.2,
    noSpeechProbability: 0.02,
    ...signs,
  };
}

/** Frames of a sound of so many seconds, with speech in the given stretches. */
function voice(seconds: number, ...spans: [number, number][]): number[] {
  return Array.from({ length: Math.floor(seconds / 0.032) }, (_, i) =>
    spans.some(([from, to]) => i * 0.032 >= from && i * 0.032 < to) ? 0.95 : 0.02,
  );
}

test('clear speech: nothing is doubtful', () => {
  expect(isDoubtful(windowOf('This is what was said.'))).toBe(false);
  expect(isDoubtful(windowOf(''))).toBe(false);
});

test.each([
  ['an unlikely text', windowOf('We do it.', { averageLogProbability: -0.9 })],
  ['no speech by the model', windowOf('We do it.', { noSpeechProbability: 0.5 })],
  ['an uncertain language', windowOf('We do it.', { languageProbability: 0.3 })],
  ['a caption phrase at the end', windowOf('We do it. Thanks for watching!')],
  ['a word again and again', windowOf('boom boom boom boom boom')],
])('%s is doubtful', (_, result) => {
  expect(isDoubtful(result)).toBe(true);
});

test('two words in a row that the model finds unlikely are doubtful, whatever their calibrated probability', () => {
  const isDoubtfulWith = (probability: number, raw: number) => {
    const result = windowOf('We do it.');
    const words = result.words.map((word) => ({ ...word, probability, logProbabilities: [Math.log(raw)] }));
    return isDoubtful({ ...result, words });
  };
  expect(isDoubtfulWith(0.6, 0.2)).toBe(true);
  expect(isDoubtfulWith(0.2, 0.6)).toBe(false);
});

test('an unlikely text where a note sounded like speech is heard again without the rest, and then goes', () => {
  const result = windowOf("I'm not a good guy.", { averageLogProbability: -1.9 });
  const frames = voice(20, [4, 4.2]);
  expect(judgeWindow(result, frames, true)).toBe('listen_again');
  expect(judgeWindow(result, frames, false)).toBe('drop');
});

test('a likely word in a long silence stays', () => {
  expect(judgeWindow(windowOf('Yes.', { averageLogProbability: -0.6 }), voice(20, [4, 4.3]), false)).toBe('keep');
});

test('an unlikely text of a window full of speech stays', () => {
  expect(judgeWindow(windowOf('4', { averageLogProbability: -1.4 }), voice(0.5, [0.05, 0.4]), true)).toBe('keep');
});

test('a short clip is not heard again: there is too little to cut away', () => {
  expect(judgeWindow(windowOf('4', { averageLogProbability: -0.9 }), voice(1, [0.3, 0.6]), true)).toBe('keep');
});

test('an unlikely text without any voice goes', () => {
  expect(judgeWindow(windowOf('1.5', { averageLogProbability: -1.4 }), voice(10), true)).toBe('drop');
});

test('a caption phrase after the speech goes, and the words before it stay', () => {
  const result = windowOf('This is all. Thank you.');
  const marked = markUnvoiced({ ...result, words: later(result.words, 3, 8) }, voice(12, [0, 1.2]));
  expect(marked.text).toBe('This is all.');
  expect(marked.words.map(({ word }) => word)).toEqual(['This', 'is', 'all.']);
  expect(marked.unvoicedWords).toEqual([]);
});

test('the same phrase where somebody speaks stays', () => {
  expect(markUnvoiced(windowOf('This is all. Thank you.'), voice(12, [0, 2])).text).toBe('This is all. Thank you.');
});

test('other words where nobody speaks stay, and are marked', () => {
  const result = windowOf('This is all. Of course.');
  const marked = markUnvoiced({ ...result, words: later(result.words, 3, 8) }, voice(12, [0, 1.2]));
  expect(marked.text).toBe(result.text);
  expect(marked.unvoicedWords).toEqual([3, 4]);
});

function later(words: WindowTranscript['words'], from: number, seconds: number): WindowTranscript['words'] {
  return words.map((word, i) => (i < from ? word : { ...word, start: word.start + seconds, end: word.end + seconds }));
}
