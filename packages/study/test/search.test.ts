import { describe, expect, test } from 'vitest';
import { createDictionary } from '../src/search/dictionary.ts';
import { findHighlights } from '../src/search/highlights.ts';
import { buildKeywordIndex } from '../src/search/keyword-index.ts';
import { quantise } from '../src/search/quantised-vectors.ts';
import { toQueryTerms } from '../src/search/query-terms.ts';
import { fuseByRank } from '../src/search/rank.ts';
import { locateQuery, searchKeywords, searchVectors } from '../src/search/search-shards.ts';
import { createSearchWords } from '../src/search/search-words.ts';
import { toShard } from '../src/search/shard.ts';
import { embedByWords, themes } from './texts.ts';

const breathe = () => undefined;
const words = createSearchWords('en');

/** Three lectures, each sentence a passage. */
const lectures = [themes.volcano, themes.violin, themes.bread];
const dictionary = createDictionary();
const shards = lectures.map((texts) =>
  toShard(buildKeywordIndex(texts, words), quantise(embedByWords(texts)), dictionary),
);
const search = async (query: string, among = shards): Promise<string[]> => {
  const hits = await searchKeywords(
    among,
    await locateQuery(among, toQueryTerms(query, words, dictionary), breathe),
    10,
    breathe,
  );
  return hits.map(({ shard, row }) => lectures[shard]?.[row] ?? '');
};

describe('searchKeywords', () => {
  test('finds inflections of a word, the passage that says most of it first', async () => {
    expect((await search('kneaded doughs'))[0]).toBe(themes.bread[1]);
  });

  test('counts a rare word for more than one that stands everywhere', async () => {
    expect((await search('violin horsehair'))[0]).toBe(themes.violin[1]);
  });

  test('finds a number, and a part of a word with a hyphen', async () => {
    expect(await search('1980')).toEqual([themes.volcano[6]]);
    const texts = ['The lower-case letters came later.', 'Nothing of it.'];
    const own = createDictionary();
    const shard = toShard(buildKeywordIndex(texts, words), null, own);
    const located = await locateQuery([shard], toQueryTerms('case', words, own), breathe);
    expect(await searchKeywords([shard], located, 10, breathe)).toMatchObject([{ row: 0 }]);
  });

  test('takes the last word for a beginning, and no other', async () => {
    expect(await search('strad')).toEqual([themes.violin[4]]);
    expect(await search('strad varnish')).toEqual(await search('varnish'));
  });

  test.each(['strad ', 'strad?'])('takes a last word that something follows for a whole one: %j', async (query) => {
    expect(await search(query)).toEqual([]);
  });

  test('forgives letters of a word that stands nowhere, and those of no other', async () => {
    expect((await search('vibratto is'))[0]).toBe(themes.violin[6]);
    expect(await search('Stradivarious is')).toEqual([themes.violin[4]]);
    expect((await search('ash.')).every((text) => /\bash\b/i.test(text))).toBe(true);
    expect(await search('xylophone')).toEqual([]);
  });

  test.each(['', '   ', 'the of and', '?!', '\u0000', 'a'.repeat(500), '🙂', 'нет', '印刷術'])(
    'of %j: finds nothing, and does no harm',
    async (query) => {
      expect(await search(query)).toEqual([]);
    },
  );

  test('leaves out what is not to be searched, and counts how rare a word is in the rest', async () => {
    const some = [undefined, shards[1]];
    const located = await locateQuery(some, toQueryTerms('gas strings.', words, dictionary), breathe);
    const hits = await searchKeywords(some, located, 10, breathe);
    expect(hits.every(({ shard }) => shard === 1)).toBe(true);
    expect(hits.length).toBeGreaterThan(2);
  });
});

test('searchVectors: finds the likest passage of all lectures, and nothing below the floor', async () => {
  const vector = quantise(embedByWords(['yeast gives off carbon dioxide']));
  const hits = await searchVectors(shards, vector, { limit: 3, floor: 0.2 }, breathe);
  expect(hits[0]).toMatchObject({ shard: 2, row: 2 });
  expect(await searchVectors(shards, vector, { limit: 3, floor: 0.999 }, breathe)).toEqual([]);
  expect(await searchVectors(shards, { ...vector, dimensions: 8 }, { limit: 3, floor: 0 }, breathe)).toEqual([]);
});

test('fuseByRank: what both lists have comes before what one of them has at the top', () => {
  const hit = (row: number) => ({ shard: 0, row, score: 9 });
  const fused = fuseByRank([
    [hit(1), hit(2), hit(3)],
    [hit(4), hit(3), hit(2)],
  ]);
  expect(fused.map(({ row }) => row)).toEqual([2, 3, 1, 4]);
  expect(fused[0]?.score).toBeLessThan(1);
  expect(fuseByRank([[hit(1)], [hit(1)]])[0]?.score).toBeCloseTo(1);
  expect(fuseByRank([[hit(7)]])[0]?.score).toBeCloseTo(1);
});

describe('findHighlights', () => {
  const marked = (text: string, query: string, language = 'en') => {
    const own = createSearchWords(language);
    const known = createDictionary();
    for (const { term } of own.wordsOf(text)) known.add(term);
    const terms = new Set(toQueryTerms(query, own, known).flatMap((each) => each.terms.map(({ term }) => term)));
    return findHighlights(text, terms, own).map(({ from, to }) => text.slice(from, to));
  };

  test('marks inflections as they are written, neighbours as one', () => {
    expect(marked('Printing presses printed “fine types”.', 'printed press type.')).toEqual([
      'Printing presses printed',
      'types',
    ]);
  });

  test('marks by UTF-16 units, also behind letters that have two', () => {
    expect(marked('𝒜 🙂 İstanbul printing house', 'printing')).toEqual(['printing']);
  });

  test('marks in other languages', () => {
    expect(marked('Die Drucker druckten Bücher.', 'Bücher', 'de')).toEqual(['Bücher']);
    expect(marked('活字印刷術の歴史', '印刷', 'ja')).toContain('印刷');
  });
});
