import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIndexBytes, toIndexBytes } from '../src/search/index-bytes.ts';
import { buildKeywordIndex } from '../src/search/keyword-index.ts';
import { makeSearchIndex } from '../src/search/make-search-index.ts';
import { cutPassages, maxPassages } from '../src/search/passages.ts';
import { createCosine, quantise } from '../src/search/quantised-vectors.ts';
import { createSearchWords } from '../src/search/search-words.ts';
import type { TimedSentence } from '../src/sentences.ts';
import { embedByWords, lecture } from './texts.ts';

/** One after the other, each of so many seconds. */
function spoken(texts: readonly string[], seconds = 6, pauseBefore = 0.3): TimedSentence[] {
  return texts.map((text, i) => ({
    text,
    start: i * seconds,
    end: (i + 1) * seconds - pauseBefore,
    pauseBefore: i === 0 ? 0 : pauseBefore,
    confidence: 0.9,
    flagged: false,
  }));
}

describe('cutPassages', () => {
  const timed = fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0.2, 1.5, 30),
      seconds: fc.constantFrom(0, 1, 4, 9, 90),
      isChapter: fc.boolean(),
    }),
    { maxLength: 80 },
  );

  test('of any sentences: holds each once, in order, never over the start of a chapter', () => {
    fc.assert(
      fc.property(timed, (shape) => {
        let at = 0;
        const sentences = shape.map(({ gap, seconds }, i): TimedSentence => {
          const start = at + gap;
          at = start + seconds;
          return { text: `s${i}.`, start, end: at, pauseBefore: gap, confidence: 1, flagged: false };
        });
        const starts = sentences.filter((_, i) => shape[i]?.isChapter).map(({ start }) => start);
        const passages = cutPassages(sentences, starts);
        expect(passages.map(({ text }) => text).join(' ')).toBe(sentences.map(({ text }) => text).join(' '));
        let next = 0;
        for (const { firstSentence, sentenceCount, start, end } of passages) {
          expect(firstSentence).toBe(next);
          next += sentenceCount;
          const own = sentences.slice(firstSentence, next);
          expect(start).toBe(own[0]?.start);
          expect(end).toBeGreaterThanOrEqual(start);
          // A chapter of no length cannot be told from the one after it.
          for (const { start: inner } of own) if (inner > start) expect(starts).not.toContain(inner);
        }
      }),
    );
  });

  test('of ordinary speech: makes passages of two to five sentences and 20 to 60 s', () => {
    const passages = cutPassages(spoken(Array.from({ length: 100 }, (_, i) => `Sentence ${i}.`)));
    for (const { sentenceCount, start, end } of passages.slice(0, -1)) {
      expect(sentenceCount).toBeGreaterThanOrEqual(2);
      expect(sentenceCount).toBeLessThanOrEqual(5);
      expect(end - start).toBeGreaterThan(20);
      expect(end - start).toBeLessThan(60);
    }
  });

  test('of 200,000 sentences: stays within what an index can count, in bounded time', () => {
    const passages = cutPassages(
      spoken(
        Array.from({ length: 200_000 }, () => 'So.'),
        100,
      ),
    );
    expect(passages.length).toBeLessThanOrEqual(maxPassages);
  });

  test('of nothing: makes none', () => {
    expect(cutPassages([])).toEqual([]);
  });
});

describe('the bytes of an index', () => {
  const made = makeSearchIndex({
    sentences: spoken(lecture),
    embeddings: embedByWords(lecture),
    chapters: [{ start: 0, end: 144, title: 'All', level: 'fine' }],
    language: 'en',
    weights: 'model#1a2b3c4d',
  });

  test('are read as what was written, wherever they lie in memory', () => {
    const words = createSearchWords('en');
    const texts = made.passages.map(({ text }) => text);
    const keywords = buildKeywordIndex(texts, words);
    for (const offset of [0, 1, 4]) {
      const memory = new Uint8Array(made.index.length + offset);
      memory.set(made.index, offset);
      const read = parseIndexBytes(memory.subarray(offset));
      expect(read).toMatchObject({ language: 'en', weights: 'model#1a2b3c4d' });
      expect(read.keywords).toEqual(keywords);
      expect(read.vectors.scales).toHaveLength(texts.length);
      expect(toIndexBytes(read)).toEqual(made.index);
    }
  });

  test('of a lecture without a word are read as an empty index', () => {
    const empty = { dimensions: 384, vectors: new Float32Array() };
    const { passages, index } = makeSearchIndex({
      sentences: [],
      embeddings: empty,
      chapters: [],
      language: 'en',
      weights: 'w',
    });
    expect(passages).toEqual([]);
    expect(parseIndexBytes(index).keywords.terms).toEqual([]);
  });

  test('damaged anywhere: are refused, or read as an index whose rows are all there', () => {
    fc.assert(
      fc.property(fc.nat(made.index.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = made.index.slice();
        damaged[at] = (damaged[at] as number) ^ change;
        try {
          const { keywords } = parseIndexBytes(damaged);
          for (const row of keywords.rows) expect(row).toBeLessThan(keywords.lengths.length);
          expect(keywords.starts.at(-1)).toBe(keywords.rows.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'internal', retryable: false });
        }
      }),
    );
  });

  test('cut off anywhere: are refused', () => {
    for (let length = 0; length < made.index.length; length += 7) {
      expect(() => parseIndexBytes(made.index.slice(0, length))).toThrow('damaged');
    }
  });
});

test('quantise: cosines with eight bits a place are within .01 of those in full', () => {
  const embeddings = embedByWords(lecture, 384);
  const quantised = quantise(embeddings);
  for (let row = 0; row < lecture.length; row++) {
    const own = embeddings.vectors.subarray(row * 384, (row + 1) * 384);
    const cosineOf = createCosine(quantise({ dimensions: 384, vectors: own }));
    lecture.forEach((_, other) => {
      const cosine = cosineOf(quantised, other);
      const full = own.reduce((sum, value, d) => sum + value * (embeddings.vectors[other * 384 + d] as number), 0);
      expect(Math.abs(cosine - full)).toBeLessThan(0.01);
    });
  }
});
