import type { Chapter } from '@studymate/contracts/study';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toVttChapters, toYoutubeChapters } from '../src/chapter-formats.ts';
import { maxTitleCharacters } from '../src/chapter-titles.ts';
import { findBoundaries, makeChapters, titleChapters } from '../src/chapters.ts';
import { bestPaths, computeGains, decodeBoundaries } from '../src/segmentation.ts';
import { embedByWords, lecture, toTimed } from './texts.ts';

const levels = ['coarse', 'general', 'fine'] as const;

function ofLevel(chapters: Chapter[], level: Chapter['level']): Chapter[] {
  return chapters.filter((chapter) => chapter.level === level);
}

describe('findBoundaries', () => {
  test('three themes, count known: the boundaries are where the theme changes, with and without embeddings', () => {
    expect(findBoundaries({ sentences: lecture, chapterCount: 3 })).toEqual([0, 8, 16]);
    expect(findBoundaries({ sentences: lecture, embeddings: embedByWords(lecture), chapterCount: 3 })).toEqual([
      0, 8, 16,
    ]);
  });

  test('three themes, count unknown: the changes of theme are among few boundaries', () => {
    const found = findBoundaries({ sentences: lecture, embeddings: embedByWords(lecture) });
    expect(found).toEqual(expect.arrayContaining([0, 8, 16]));
    expect(found.length).toBeLessThanOrEqual(6);
  });

  test('any sentences: boundaries begin at 0, ascend, stay inside and have the count asked for', () => {
    const sentence = fc.oneof(fc.constantFrom(...lecture), fc.string({ maxLength: 40 }), fc.constant(''));
    fc.assert(
      fc.property(
        fc.array(sentence, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (sentences, chapterCount) => {
          const found = findBoundaries({ sentences, chapterCount });
          expect(found[0]).toBe(0);
          expect(found).toHaveLength(Math.min(chapterCount, sentences.length));
          for (let index = 1; index < found.length; index++) {
            expect(found[index]).toBeGreaterThan(found[index - 1] as number);
          }
          expect(found.at(-1)).toBeLessThan(sentences.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('one word repeated ten thousand times is answered in bounded memory', () => {
    const found = findBoundaries({ sentences: Array.from({ length: 10_000 }, () => 'word') });
    expect(found[0]).toBe(0);
  });

  test('no sentences: no boundaries', () => {
    expect(findBoundaries({ sentences: [] })).toEqual([]);
  });
});

describe('segmentation', () => {
  test('the gain of the best path equals that of trying every segmentation', () => {
    const terms = [[0, 1], [0], [0, 1], [2, 3], [3], [2, 4], [4, 0]];
    const gains = computeGains({ terms, vocabularySize: 5, bonuses: [0, 0, 0, 0.5, 0, 0, 0] });
    const gain = (start: number, end: number): number => gains.values[(end * (end - 1)) / 2 + start] as number;
    const best = new Map<number, number>();
    for (let mask = 0; mask < 2 ** (terms.length - 1); mask++) {
      const starts = [0, ...[1, 2, 3, 4, 5, 6].filter((place) => (mask >> (place - 1)) & 1)];
      const total = starts.reduce((sum, start, index) => sum + gain(start, starts[index + 1] ?? terms.length), 0);
      best.set(starts.length, Math.max(best.get(starts.length) ?? Number.NEGATIVE_INFINITY, total));
    }
    const { scores } = bestPaths(gains, 4);
    for (const k of [1, 2, 3, 4]) expect(scores[k]).toBeCloseTo(best.get(k) as number, 4);
  });

  test('the embedding gain equals its definition', () => {
    const embeddings = embedByWords(lecture.slice(0, 6), 16);
    const terms = lecture.slice(0, 6).map((_, index) => Array.from({ length: 8 }, (__, term) => index * 8 + term));
    const withVectors = computeGains({ terms, vocabularySize: 48, bonuses: [], embeddings });
    const zeros = { dimensions: 16, vectors: new Float32Array(6 * 16) };
    const without = computeGains({ terms, vocabularySize: 48, bonuses: [], embeddings: zeros });
    const mean = Array.from({ length: 16 }, (_, d) =>
      [0, 1, 2, 3, 4, 5].reduce((sum, row) => sum + (embeddings.vectors[row * 16 + d] as number) / 6, 0),
    );
    const sum = mean.map((m, d) =>
      [1, 2, 3].reduce((total, row) => total + (embeddings.vectors[row * 16 + d] as number) - m, 0),
    );
    const expected = (20 * sum.reduce((total, value) => total + value * value, 0)) / (3 + 0.2 * 40);
    const at = (4 * 3) / 2 + 1;
    expect((withVectors.values[at] as number) - (without.values[at] as number)).toBeCloseTo(expected, 4);
  });

  test('boundaries limited to candidates stay among them', () => {
    const terms = lecture.map((_, index) => [Math.floor(index / 8), 3 + index]);
    const gains = computeGains({ terms, vocabularySize: 30, bonuses: [] });
    const found = decodeBoundaries({ gains, segmentCount: 3, candidates: [0, 4, 7, 17, 20] });
    expect([0, 4, 7, 17, 20]).toEqual(expect.arrayContaining(found));
    expect(found).toHaveLength(3);
  });
});

describe('makeChapters', () => {
  const sentences = toTimed(lecture);
  const chapters = makeChapters({ sentences, embeddings: embedByWords(lecture), language: 'en' });

  test('every level covers the lecture from 0 to the end, starting at sentences, ten seconds at least', () => {
    const starts = new Set(sentences.map(({ start }) => start));
    for (const level of levels) {
      const own = ofLevel(chapters, level);
      expect(own[0]?.start).toBe(0);
      expect(own.at(-1)?.end).toBe(sentences.at(-1)?.end);
      own.forEach((chapter, index) => {
        expect(chapter.end - chapter.start).toBeGreaterThanOrEqual(10);
        if (index === 0) return;
        expect(chapter.start).toBe(own[index - 1]?.end);
        expect(starts.has(chapter.start)).toBe(true);
      });
    }
  });

  test('levels nest: every start of a coarser level is one of the finer level', () => {
    const starts = levels.map((level) => ofLevel(chapters, level).map(({ start }) => start));
    expect(starts[1]).toEqual(expect.arrayContaining(starts[0] as number[]));
    expect(starts[2]).toEqual(expect.arrayContaining(starts[1] as number[]));
    expect(starts[2]?.length).toBeGreaterThanOrEqual(starts[1]?.length as number);
  });

  test('titles are unique within a level, short, and made of the words of the chapter', () => {
    for (const level of levels) {
      const own = ofLevel(chapters, level);
      expect(new Set(own.map(({ title }) => title)).size).toBe(own.length);
      for (const { title, start, end } of own) {
        expect(title.length).toBeLessThanOrEqual(maxTitleCharacters);
        const spoken = sentences
          .filter((s) => s.start >= start && s.start < end)
          .map((s) => s.text.toLowerCase())
          .join(' ');
        for (const word of title.toLowerCase().split(/[\s,]+/)) if (word !== 'and') expect(spoken).toContain(word);
      }
    }
  });

  test('the same lecture gives the same chapters', () => {
    expect(makeChapters({ sentences, embeddings: embedByWords(lecture), language: 'en' })).toEqual(chapters);
  });

  test('a lecture shorter than ten seconds is one chapter on every level', () => {
    const short = makeChapters({ sentences: toTimed(['A short remark.', 'And another.']), language: 'en' });
    expect(short.map(({ level }) => level)).toEqual([...levels]);
  });

  test('an hour and a half without any punctuation or embeddings has chapters of every level', () => {
    const texts = Array.from({ length: 1_200 }, (_, index) =>
      (lecture[Math.floor(index / 150) * 3 + (index % 3)] as string).replace(/\./g, ''),
    );
    const long = makeChapters({ sentences: toTimed(texts), language: 'en' });
    expect(ofLevel(long, 'coarse').length).toBeGreaterThanOrEqual(3);
    expect(ofLevel(long, 'fine').length).toBeGreaterThan(ofLevel(long, 'coarse').length);
  });
});

describe('titleChapters', () => {
  test('each theme is titled by its own key phrase', () => {
    const titles = titleChapters({ sentences: lecture, boundaries: [0, 8, 16] }).map(({ title }) =>
      title.toLowerCase(),
    );
    expect(titles[0]).toMatch(/magma|volcano|eruption/);
    expect(titles[1]).toMatch(/violin|strings/);
    expect(titles[2]).toMatch(/dough|bread|flour/);
  });

  test('French, Arabic and Chinese sentences get titles without stop words alone', () => {
    const cases = {
      fr: ['Le volcan est une ouverture de la croûte.', 'Le magma monte dans le volcan.'],
      ar: ['البركان فتحة في القشرة الأرضية.', 'الصهارة ترتفع داخل البركان.'],
      zh: ['火山是地壳的开口。', '岩浆在火山下面聚集。'],
    };
    for (const [language, sentences] of Object.entries(cases)) {
      const [chapter] = titleChapters({ sentences, boundaries: [0], language });
      expect(chapter?.title).toMatch(/volcan|magma|بركان|صهارة|火山|岩浆/iu);
    }
  });

  test('sentences without a single word are titled by their number', () => {
    expect(titleChapters({ sentences: ['…', '!!!'], boundaries: [0, 1] }).map(({ title }) => title)).toEqual([
      'Part 1',
      'Part 2',
    ]);
  });
});

describe('chapter formats', () => {
  const chapter = (start: number, end: number, title: string): Chapter => ({ start, end, title, level: 'general' });

  test('three chapters of ten seconds become lines for YouTube', () => {
    const made = toYoutubeChapters([
      chapter(0, 65.4, 'One'),
      chapter(65.4, 3725, 'Two\nlines'),
      chapter(3725, 4000, 'Three'),
    ]);
    expect(made).toEqual({ ok: true, text: '0:00 One\n1:05 Two lines\n1:02:05 Three\n' });
  });

  test('too few, too short and late chapters are refused with the reason', () => {
    const two = [chapter(0, 20, 'a'), chapter(20, 40, 'b')];
    expect(toYoutubeChapters(two)).toEqual({ ok: false, reason: expect.stringContaining('at least 3') });
    expect(toYoutubeChapters([...two, chapter(40, 45, 'c')])).toEqual({
      ok: false,
      reason: expect.stringContaining('10 s'),
    });
    const late = [chapter(1, 20, 'a'), chapter(20, 40, 'b'), chapter(40, 60, 'c')];
    expect(toYoutubeChapters(late)).toEqual({ ok: false, reason: expect.stringContaining('0:00') });
  });

  test('WebVTT escapes what would be markup', () => {
    expect(toVttChapters([chapter(0, 61.25, 'a < b & c --> d')])).toBe(
      'WEBVTT\n\n1\n00:00:00.000 --> 00:01:01.250\na &lt; b &amp; c --&gt; d\n',
    );
  });
});
