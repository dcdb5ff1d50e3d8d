import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clozeBlank, toAnkiTsv, toClozeText, toCsv } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { selfContainment, tidyStatement } from '../src/statement-text.ts';
import { makeSummary, summarise } from '../src/summary.ts';
import { embedByWords, lecture, toTimed } from './texts.ts';

const sentences = toTimed(lecture);
const embeddings = embedByWords(lecture);
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

describe('summarise', () => {
  test('three sentences of three themes: one of each', () => {
    const { indexes } = summarise({ sentences: lecture, embeddings, maxSentences: 3 });
    expect(indexes.map((index) => Math.floor(index / 8))).toEqual([0, 1, 2]);
  });

  test('a repeated sentence is taken once as long as there is another', () => {
    const { indexes } = summarise({
      sentences: [lecture[0], lecture[0], lecture[0], lecture[9]] as string[],
      maxSentences: 2,
    });
    expect(indexes).toContain(3);
  });

  test('any sentences: indexes ascend, stay inside and have the count asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...lecture), fc.string()), { maxLength: 30 }),
        fc.integer({ min: 1, max: 40 }),
        (texts, maxSentences) => {
          const { indexes } = summarise({ sentences: texts, maxSentences });
          expect(indexes).toHaveLength(Math.min(texts.length, maxSentences));
          expect([...new Set(indexes)].sort((a, b) => a - b)).toEqual(indexes);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('makeSummary', () => {
  const summary = makeSummary({ sentences, embeddings, language: 'en' });

  test('every statement stands in the sentence at its moment', () => {
    expect(summary.statements.length).toBeGreaterThanOrEqual(2);
    for (const statement of summary.statements) {
      const source = sentences.find(({ start }) => start === statement.start);
      expect(plain(source?.text ?? '')).toContain(plain(statement.text));
      expect(statement.end).toBe(source?.end);
    }
  });

  test('key terms come with the definition as said, at its moment', () => {
    const found = Object.fromEntries(summary.keyTerms.map((term) => [term.term, term]));
    expect(found.Volcano?.definition).toBe('An opening in the crust of the Earth through which molten rock escapes.');
    expect(found.Vibrato?.definition).toBe('A small and regular change of pitch made by the left hand.');
    expect(found.Vibrato?.start).toBe(sentences[14]?.start);
    for (const { definition } of summary.keyTerms) expect(plain(lecture.join(' '))).toContain(plain(definition));
  });

  test('three lengths: each longer one has what the shorter ones have, and more', () => {
    const rank = { short: 0, medium: 1, long: 2 };
    const counts = [0, 1, 2].map(
      (longest) => summary.statements.filter(({ length }) => rank[length ?? 'medium'] <= longest).length,
    );
    expect(counts[0]).toBeGreaterThanOrEqual(1);
    expect(counts[1]).toBeGreaterThan(counts[0] as number);
    expect(counts[2]).toBeGreaterThan(counts[1] as number);
  });

  test.each([3, 8, 14, 24])('%i long sentences: the long summary has less than half of them, or three', (count) => {
    const slow = toTimed(lecture.slice(0, count)).map((sentence, index) => ({
      ...sentence,
      ...{ start: index * 20, end: index * 20 + 20 },
    }));
    const { statements } = makeSummary({
      sentences: slow,
      embeddings: embedByWords(lecture.slice(0, count)),
      language: 'en',
    });
    expect(statements.length).toBeLessThanOrEqual(Math.max(3, 0.45 * count));
    expect(statements.filter(({ length }) => length === 'short').length).toBeLessThanOrEqual(Math.max(1, 0.15 * count));
  });

  test('a flagged sentence and a question are not among the statements', () => {
    const marked = sentences.map((sentence, index) =>
      index % 2 === 0
        ? { ...sentence, flagged: true }
        : { ...sentence, text: index === 1 ? 'Why does magma collect in a chamber below the volcano?' : sentence.text },
    );
    const starts = makeSummary({ sentences: marked, embeddings, language: 'en' }).statements.map(({ start }) => start);
    for (const start of starts) expect(marked.find((sentence) => sentence.start === start)?.flagged).toBe(false);
    expect(starts).not.toContain(marked[1]?.start);
  });

  test('nothing said: nothing summed up', () => {
    expect(makeSummary({ sentences: [] })).toEqual({
      ...{ method: 'extractive', statements: [], keyTerms: [] },
    });
  });
});

describe('statement text', () => {
  test('openers and hesitations go, capital and full stop come', () => {
    expect(tidyStatement('so, um, the magma rises in the, uh, chamber')).toBe('The magma rises in the, chamber.');
    expect(tidyStatement('so far we have talked about mass')).toBe('So far we have talked about mass.');
    expect(tidyStatement('火山是地壳的开口')).toBe('火山是地壳的开口。');
  });

  test('dangling, asking and unsure sentences stand less well than complete ones', () => {
    const complete = selfContainment({ text: lecture[1] as string });
    expect(selfContainment({ text: 'This collects in a chamber below the volcano before an eruption.' })).toBeLessThan(
      complete,
    );
    expect(selfContainment({ text: 'Where does magma collect before an eruption?' })).toBe(0);
    expect(selfContainment({ text: lecture[1] as string, confidence: 0.4 })).toBeLessThan(complete);
  });
});

describe('makeFlashcards', () => {
  const cards = makeFlashcards({ sentences, embeddings, language: 'en' });

  test('cards ascend in time, are unique, and no front holds its answer', () => {
    expect(cards.length).toBeGreaterThanOrEqual(3);
    expect(new Set(cards.map(({ id }) => id)).size).toBe(cards.length);
    expect(cards.map(({ start }) => start)).toEqual(cards.map(({ start }) => start).sort((a, b) => a - b));
    for (const card of cards) expect(plain(card.front).split(' ')).not.toContain(plain(card.back));
  });

  test('a cloze card filled with its answer is a sentence of the lecture', () => {
    const clozes = cards.filter(({ type }) => type === 'cloze');
    for (const card of clozes) {
      expect(card.front.split(clozeBlank)).toHaveLength(2);
      expect(lecture.map(plain)).toContain(plain(card.front.replace(clozeBlank, card.back)));
    }
  });

  test('a year at the beginning of a plain statement becomes a question', () => {
    const made = makeFlashcards({ sentences: toTimed(lecture.slice(5, 8)), language: 'en' });
    expect(made).toContainEqual(
      expect.objectContaining({
        type: 'question',
        front: 'When did Mount Helens open a new crater on its northern flank?',
        back: 'In 1980.',
      }),
    );
  });

  test('the same lecture gives the same ids', () => {
    expect(makeFlashcards({ sentences, embeddings, language: 'en' })).toEqual(cards);
  });

  test('French, Arabic and Chinese lectures do not fail', () => {
    const texts = {
      fr: [
        'Le volcan est une ouverture de la croûte terrestre.',
        'Le magma monte lentement dans la cheminée du volcan avant une éruption.',
      ],
      ar: ['البركان فتحة في القشرة الأرضية تخرج منها الصهارة.', 'ترتفع الصهارة ببطء داخل البركان قبل الثوران.'],
      zh: ['火山是地壳的开口,岩浆从那里喷出。', '岩浆在火山下面的岩浆房里慢慢聚集。'],
    };
    for (const [language, own] of Object.entries(texts)) {
      const timed = toTimed(own);
      expect(makeSummary({ sentences: timed, language }).statements.length).toBeGreaterThan(0);
      expect(Array.isArray(makeFlashcards({ sentences: timed, language }))).toBe(true);
    }
  });
});

describe('flashcard formats', () => {
  const card = { id: 'a', type: 'cloze' as const, front: `The ${clozeBlank}\tis "hot"`, back: '=1+1', start: 3.5 };

  test('Anki: header lines, then a line a card with tabs and quotes inside of quoted fields', () => {
    const lines = toAnkiTsv([card]).split('\n');
    expect(lines.slice(0, 4)).toEqual([
      '#separator:tab',
      '#html:false',
      '#columns:Front\tBack\tTags',
      '#tags column:3',
    ]);
    expect(lines[4]).toBe(`"The ${clozeBlank}\tis ""hot"""\t=1+1\tstudymate cloze`);
    expect(toClozeText(card)).toBe('The {{c1::=1+1}}\tis "hot"');
  });

  test('CSV: a formula becomes text, quotes are doubled, lines end in CRLF', () => {
    expect(toCsv([card])).toBe(`id,type,front,back,start\r\na,cloze,"The ${clozeBlank}\tis ""hot""",'=1+1,3.5\r\n`);
  });
});
