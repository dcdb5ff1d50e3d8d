import type { Transcript } from '@studymate/contracts/transcript';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasStudyableSpeech, splitSentences, toTimedSentences } from '../src/sentences.ts';

function speak(texts: string[], pauseSeconds: (word: number) => number = () => 0.1): Transcript {
  let at = 0;
  let count = 0;
  const segments = texts.map((text, id) => {
    const words = text.split(' ').map((word) => {
      const start = at;
      at += 0.3 + pauseSeconds(count++);
      return { word, start, end: start + 0.3, probability: 0.9 };
    });
    return { id, start: words[0]?.start ?? at, end: at, text, confidence: 0.9, flags: [], words };
  });
  return { language: 'en', text: texts.join(' '), segments };
}

describe('splitSentences', () => {
  test('a text with abbreviations and initials is not cut inside of them', () => {
    expect(splitSentences('Dr. Smith met J. R. Jones at 3 p.m. on Monday. They spoke, e.g. about Gauss.')).toEqual([
      'Dr. Smith met J. R. Jones at 3 p.m. on Monday.',
      'They spoke, e.g. about Gauss.',
    ]);
  });

  test('Chinese, Arabic and French texts are cut at their own end marks', () => {
    expect(splitSentences('火山是地壳的开口。岩浆在下面聚集。')).toEqual(['火山是地壳的开口。', '岩浆在下面聚集。']);
    expect(splitSentences('ما هو البركان؟ البركان فتحة في القشرة الأرضية.')).toHaveLength(2);
    expect(splitSentences('Le volcan est une ouverture. M. Dupont l’a étudié.')).toEqual([
      'Le volcan est une ouverture.',
      'M. Dupont l’a étudié.',
    ]);
  });

  test('a very long run of abbreviations ends in bounded sentences', () => {
    const sentences = splitSentences('A. '.repeat(50_000));
    expect(Math.max(...sentences.map((sentence) => sentence.length))).toBeLessThan(2_200);
  });

  test('any text keeps all of its letters in order', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const bare = (value: string): string => value.replace(/\s+/gu, '');
        expect(bare(splitSentences(text).join(''))).toBe(bare(text));
      }),
    );
  });
});

describe('toTimedSentences', () => {
  test('a sentence over two segments has the start of its first and the end of its last word', () => {
    const sentences = toTimedSentences(speak(['Magma collects in', 'a chamber below. Then it rises.']));
    expect(sentences.map(({ text }) => text)).toEqual(['Magma collects in a chamber below.', 'Then it rises.']);
    expect(sentences[0]?.start).toBe(0);
    expect(sentences[0]?.end).toBeCloseTo(5 * 0.4 + 0.3, 5);
    expect(sentences[1]?.pauseBefore).toBeCloseTo(0.1, 5);
  });

  test('speech without punctuation is cut at its pauses', () => {
    const words = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
    const sentences = toTimedSentences(speak([words], (word) => (word % 10 === 9 ? 1 : 0.05)));
    expect(sentences.map(({ text }) => text.split(' ').length)).toEqual([10, 10, 10, 10]);
  });

  test('speech without punctuation and pauses is cut into bounded pieces', () => {
    const sentences = toTimedSentences(speak([Array.from({ length: 500 }, () => 'word').join(' ')]));
    expect(Math.max(...sentences.map(({ text }) => text.split(' ').length))).toBeLessThanOrEqual(45);
  });

  test.each([
    ['a hyphen', 'A well-known one.', ['A', 'well', '-known', 'one.']],
    [
      'a decimal and thousands',
      '3.5 percent of $1,000 is gone.',
      ['3', '.5', 'percent', 'of', '$1', ',000', 'is', 'gone.'],
    ],
    ['English apostrophes', "It's the printer's ink.", ['It', "'s", 'the', 'printer', "'s", 'ink.']],
    ['French elisions', "C'est l'homme qu'on a vu.", ['C', "'est", 'l', "'homme", 'qu', "'on", 'a', 'vu.']],
    ['signs that no word has', '“Gas, ash and lava” rise.', ['Gas', 'ash', 'and', 'lava', 'rise']],
    ['words with a leading space', 'Ash can rise.', [' Ash', ' can', ' rise', '.']],
    ['Arabic', 'ما هو البركان؟ هو فتحة، في الأرض.', ['ما', 'هو', 'البركان', '؟', 'هو', 'فتحة', '،', 'في', 'الأرض.']],
    [
      'Japanese',
      '火山は地殻の開口です。マグマが集まる。',
      ['火山', 'は', '地殻', 'の', '開口', 'です。', 'マグマ', 'が', '集まる。'],
    ],
    ['words that the text does not have', 'Wholly other text.', ['Some', 'words', 'here.']],
  ])('%s: the sentences read as the segment does', (name, text, pieces) => {
    const words = pieces.map((word, index) => ({ word, start: index, end: index + 0.9, probability: 0.9 }));
    const segment = { id: 0, start: 0, end: pieces.length, text, confidence: 0.9, flags: [], words };
    const unspaced = name === 'Japanese';
    const sentences = toTimedSentences({ language: null, text, segments: [segment] });
    const expected = name === 'words that the text does not have' ? 'Some words here.' : text;
    expect(sentences.map((sentence) => sentence.text).join(unspaced ? '' : ' ')).toBe(expected);
    expect(sentences[0]?.start).toBe(0);
    expect(sentences.at(-1)?.end).toBeCloseTo(pieces.length - 0.1, 5);
  });

  test('words of Chinese are joined without spaces', () => {
    const [sentence] = toTimedSentences(speak(['火山 是 地壳 的 开口。']));
    expect(sentence?.text).toBe('火山是地壳的开口。');
  });

  test('a sentence in a flagged segment is flagged', () => {
    const transcript = speak(['One thing here.', 'Another thing there.']);
    (transcript.segments[1] as Transcript['segments'][number]).flags.push('repeated');
    expect(toTimedSentences(transcript).map(({ flagged }) => flagged)).toEqual([false, true]);
  });

  test('an empty transcript has no sentences', () => {
    expect(toTimedSentences({ language: null, text: '', segments: [] })).toEqual([]);
  });
});

describe('hasStudyableSpeech', () => {
  const noise = (text: string, confidence: number, flags: Transcript['segments'][number]['flags']): Transcript => ({
    language: 'en',
    text,
    segments: [{ id: 0, start: 0, end: 2, text, confidence, flags, words: [] }],
  });

  test('nothing, and a laugh taken for a word, are no speech; one clear sentence is', () => {
    expect(hasStudyableSpeech({ language: null, text: '', segments: [] })).toBe(false);
    expect(hasStudyableSpeech(noise('...', 0.9, []))).toBe(false);
    expect(hasStudyableSpeech(noise('lol', 0.026, ['low_confidence']))).toBe(false);
    expect(hasStudyableSpeech(noise('Thank you.', 0.7, ['possible_hallucination']))).toBe(false);
    expect(hasStudyableSpeech(noise('Magma rises.', 0.9, []))).toBe(true);
  });

  test('what a person has put right is speech, and what was removed takes no doubt from the rest', () => {
    const { segments, ...unsure } = noise('lol lol', 0.1, ['low_confidence']);
    const removed = { id: 1, start: 2, end: 3, text: '', confidence: 0.1, flags: ['edited' as const], words: [] };
    expect(hasStudyableSpeech({ ...unsure, segments: [...segments, removed] })).toBe(false);
    expect(hasStudyableSpeech({ ...unsure, segments: [...segments, { ...removed, text: 'Magma rises.' }] })).toBe(true);
    expect(hasStudyableSpeech({ ...unsure, segments: [{ ...removed, text: '—' }] })).toBe(false);
  });

  test('many words are speech even when the recogniser is unsure of them', () => {
    expect(hasStudyableSpeech(noise('magma rises slowly '.repeat(10), 0.3, ['low_confidence']))).toBe(true);
  });
});
