import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CitedSentence, createCitedTextReader } from '../src/generated/cited-text.ts';
import { isSupported, measureSupport } from '../src/generated/statement-support.ts';
import { cutForReading, findSupported, toNumberedText } from '../src/generated/written-summary.ts';
import type { TimedSentence } from '../src/sentences.ts';
import { embedByWords, themes } from './texts.ts';

const read = (pieces: Iterable<string>): CitedSentence[] => {
  const reader = createCitedTextReader();
  const found: CitedSentence[] = [];
  for (const piece of pieces) found.push(...reader.push(piece));
  return [...found, ...reader.end()];
};

describe('a text with citations', () => {
  test.each<[string, string, [string, number[]][]]>([
    [
      'behind or before the full stop',
      'Dr. Caxton printed books [1]. Type is cast. [2] Ink dries [3]',
      [
        ['Dr. Caxton printed books.', [1]],
        ['Type is cast.', [2]],
        ['Ink dries', [3]],
      ],
    ],
    [
      'several together',
      'One thing is so [1][3]. Another too [2, 4].',
      [
        ['One thing is so.', [1, 3]],
        ['Another too.', [2, 4]],
      ],
    ],
    [
      'as other models write them',
      'A thing【1】. A second [passage 2]. A third [3†source].',
      [
        ['A thing.', [1]],
        ['A second.', [2]],
        ['A third.', [3]],
      ],
    ],
    [
      'on lines with bullets, headings and emphasis',
      'Here is the answer:\n\n# What was said\n- **Type** is cast [1]\n2. Ink is *black* [2]\n',
      [
        ['Type is cast', [1]],
        ['Ink is black', [2]],
      ],
    ],
    [
      'once for two sentences',
      'Type is cast. Ink is black [1].',
      [
        ['Type is cast.', [1]],
        ['Ink is black.', [1]],
      ],
    ],
    [
      'after thinking aloud',
      '<think>\nPerhaps it is so [1]. Or not [2].\n</think>\nType is cast [1].<think> Ink is red [2]. ',
      [['Type is cast.', [1]]],
    ],
    [
      'in double brackets',
      'Type is cast [[1]]. Ink is black [2].',
      [
        ['Type is cast.', [1]],
        ['Ink is black.', [2]],
      ],
    ],
    ['of a long lecture', 'Type is cast [1234, 1235].', [['Type is cast.', [1234, 1235]]]],
    ['without any', 'Type is cast. Ink is black.\nNone.', []],
    [
      'in writing without spaces',
      '活字は鉛で作られた。[1]紙は布から作られた。[2]',
      [
        ['活字は鉛で作られた。', [1]],
        ['紙は布から作られた。', [2]],
      ],
    ],
  ])('%s: gives its sentences, each with what it names, however it is cut', (_, text, expected) => {
    const toPairs = (found: CitedSentence[]) => found.map(({ text: own, cited }) => [own, cited]);
    expect(toPairs(read([text]))).toEqual(expected);
    expect(toPairs(read(text))).toEqual(expected);
  });

  test('gives a sentence as soon as the next one begins', () => {
    const reader = createCitedTextReader();
    expect(reader.push('Type is cast [1].')).toEqual([]);
    expect(reader.push(' I')).toMatchObject([{ text: 'Type is cast.' }]);
  });

  test('with hundreds of citations side by side: is read in bounded time', () => {
    const many = Array.from({ length: 300 }, (_, i) => 101 + i);
    const marks = many.map((number) => `[${number}]`).join('');
    expect(read(`Type is cast ${marks}`)).toEqual([{ text: 'Type is cast', cited: many }]);
    expect(read([`Type is cast ${marks}`, ' Ink'])).toEqual([{ text: 'Type is cast', cited: many }]);
  });

  test('of any signs: reads them in bounded time, and cites only numbers', () => {
    const signs = fc.string({
      unit: fc.constantFrom('[', ']', '【', '1', '23', ' ', '\n', '.', 'a', '*', ','),
      maxLength: 400,
    });
    fc.assert(
      fc.property(signs, (text) => {
        for (const { cited } of read(text)) for (const number of cited) expect(number).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(read([' '.repeat(200_000), '[1'.repeat(50_000), '['.repeat(100_000)])).toEqual([]);
  });
});

describe('a statement held against a lecture', () => {
  const source = 'Caxton printed some 100 books in Westminster from 1476 on. He did not cast type himself.';
  const judge = (text: string, cosine: number | null) => {
    const support = measureSupport({ text, vector: null }, { text: source, vectors: null }, { language: 'en' });
    return isSupported({ ...support, meaning: cosine === null ? null : { cosine, sentence: 0 } });
  };

  test.each<[string, string, number | null, boolean]>([
    ['in other words', 'From 1476, books were printed by Caxton in Westminster.', 0.8, true],
    ['with a number that was not said', 'Caxton printed 200 books in Westminster.', 0.9, false],
    ['about something else, near in meaning', 'Gutenberg invented the press at Mainz.', 0.6, false],
    ['in the same words, far in meaning', 'Caxton printed books in Westminster.', 0.2, false],
    ['by words alone, all of them said', 'Caxton printed books in Westminster.', null, true],
    ['by words alone, half of them said', 'Caxton printed maps of Westminster and London.', null, false],
    ['that adds a name', 'The first English printer, Caxton, printed in Westminster.', 0.7, true],
    ['that takes up a wrong question', 'Caxton ate penguins on polar expeditions.', 0.6, false],
    ['of signs', '…', 0.9, false],
  ])('%s', (_, text, cosine, expected) => {
    expect(judge(text, cosine)).toBe(expected);
  });

  test('that denies what nobody denied: is not taken', () => {
    const other = { text: 'Caxton printed books in Westminster.', vectors: null };
    const denied = measureSupport({ text: 'Caxton never printed books in Westminster.', vector: null }, other, {
      language: 'en',
    });
    expect(isSupported(denied)).toBe(false);
  });

  test.each([
    ['German', 'Caxton druckte ohne Hilfe Bücher.', 'Caxton druckte Bücher mit Hilfe.'],
    ['Portuguese', 'Caxton não imprimiu livros.', 'Caxton imprimiu livros.'],
    ['Russian', 'Гутенберг не печатал Библию.', 'Гутенберг печатал Библию.'],
    ['Arabic', 'لم يطبع غوتنبرغ الكتاب.', 'يطبع غوتنبرغ الكتاب.'],
    ['Chinese', '古腾堡没有印刷圣经。', '古腾堡印刷圣经。'],
    ['Japanese', '彼は本を印刷しません。', '彼は本を印刷します。'],
  ])('that denies what nobody denied, in %s: is known for it', (_, text, said) => {
    const hold = (own: string) =>
      measureSupport({ text, vector: null }, { text: own, vectors: null }, { language: null }).deniesAlike;
    expect([hold(said), hold(text)]).toEqual([false, true]);
  });

  test.each(['![so](http://evil.example/?q=secret)', 'See www.evil.example.', '[so](//evil.example)'])(
    'with an address that was not said: is not taken (%s)',
    (link) => {
      const text = 'Caxton printed books in Westminster.';
      const hold = (said: string) =>
        isSupported(
          measureSupport({ text: `${text} ${link}`, vector: null }, { text: said, vectors: null }, { language: 'en' }),
        );
      expect([hold(text), hold(`${link.replace(/\.$/, '')} says it: ${text}`)]).toEqual([false, true]);
    },
  );

  test('finds the likest sentence', () => {
    const own = embedByWords(themes.bread, 64);
    const vector = embedByWords([themes.bread[2] as string], 64).vectors;
    const support = measureSupport(
      { text: themes.bread[2] as string, vector },
      { text: themes.bread.join(' '), vectors: own.vectors },
      { language: 'en' },
    );
    expect(support.meaning).toMatchObject({ sentence: 2, cosine: expect.closeTo(1, 5) });
  });
});

const texts = [...themes.volcano, ...themes.violin, ...themes.bread];
const sentences = texts.map(
  (text, i): TimedSentence => ({
    ...{ text, start: i * 10, end: i * 10 + 9, pauseBefore: 1 },
    ...{ confidence: 0.9, flagged: false },
  }),
);

describe('a written summary', () => {
  const find = (written: CitedSentence[]) =>
    findSupported({
      written,
      vectors: embedByWords(written.map(({ text }) => text)),
      sentences,
      embeddings: embedByWords(texts),
      language: 'en',
    });
  const [volcano, violin] = [texts[4] as string, texts[11] as string];

  test('keeps what was said, each statement with its moment, in the order of the lecture', () => {
    expect(
      find([
        { text: violin, cited: [12] },
        { text: 'Penguins waddle over the ice towards their colony.', cited: [3] },
        { text: volcano, cited: [5] },
      ]),
    ).toEqual([
      { text: volcano, start: 40, end: 49 },
      { text: violin, start: 110, end: 119 },
    ]);
  });

  test.each([
    ['a neighbour', [6]],
    ['another sentence', [20]],
    ['a sentence that is not there', [0, 999]],
    ['nothing', []],
  ])('that names %s: gets the moment at which it was said', (_, cited) => {
    expect(find([{ text: volcano, cited }])).toMatchObject([{ start: 40 }]);
  });

  test('that says a thing twice: has it once', () => {
    expect(find([volcano, volcano].map((text) => ({ text, cited: [5] })))).toHaveLength(1);
  });

  test('is asked for in parts that a model can read, every sentence in one of them, under its number', () => {
    const long = Array.from({ length: 40 }, (_, i) =>
      sentences.map((each) => ({ ...each, text: `${i} ${each.text}` })),
    ).flat();
    const spans = cutForReading(long);
    expect(spans.length).toBeGreaterThan(2);
    expect(spans.flatMap(({ from, to }) => [from, to])).toEqual([
      0,
      ...spans.slice(0, -1).flatMap(({ to }) => [to, to]),
      long.length,
    ]);
    for (const span of spans) expect(toNumberedText(long, span).length).toBeLessThan(30_000);
    expect(toNumberedText(sentences, { from: 1, to: 3 })).toBe(`[2] ${texts[1]}\n[3] ${texts[2]}`);
    expect(cutForReading([])).toEqual([]);
  });
});
