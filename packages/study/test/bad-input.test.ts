import type { Transcript } from '@studymate/contracts/transcript';
import { describe, expect, test } from 'vitest';
import { findBoundaries } from '../src/chapters.ts';
import { createDictionary } from '../src/search/dictionary.ts';
import { findHighlights } from '../src/search/highlights.ts';
import { parseIndexBytes } from '../src/search/index-bytes.ts';
import { makeSearchIndex } from '../src/search/make-search-index.ts';
import { toQueryTerms } from '../src/search/query-terms.ts';
import { locateQuery, searchKeywords } from '../src/search/search-shards.ts';
import { createSearchWords } from '../src/search/search-words.ts';
import { toShard } from '../src/search/shard.ts';
import { splitSentences, toTimedSentences } from '../src/sentences.ts';
import { summarise } from '../src/summary.ts';
import { findTopics } from '../src/topics.ts';

/** What takes time with the square of so many characters takes minutes, and the test's own time ends it. */
const length = 250_000;
const fill = (piece: string) => piece.repeat(Math.floor(length / piece.length));
const texts: [what: string, text: string][] = [
  ['200,000 sentences', 'So? '.repeat(200_000)],
  ['one word without punctuation', fill('word ')],
  ['no space at all', fill('x')],
  ['abbreviations', fill('e.g. Dr. ')],
  ['full stops', fill('.')],
  ['closing signs', `.${fill('")')}`],
  ['white space', `a${fill(' \n')}b`],
  ['HTML', fill('<div class="a"><p>Type &amp; press.</p></div>\n')],
  [
    'several languages',
    fill('Type is cast. Die Lettern sind aus Blei. 活字は鉛で作られた。 Буквы льют. الحروف من رصاص. '),
  ],
  ['writing without spaces', fill('活字は鉛で作られた')],
];
const timeoutMs = 60_000;

describe.each(texts)('%s', (_, text) => {
  test('as a text: has sentences, and a summary', { timeout: timeoutMs }, () => {
    const sentences = splitSentences(text);
    expect(sentences.length).toBeGreaterThan(0);
    const { indexes } = summarise({ sentences, maxSentences: 3 });
    expect(indexes.length).toBeGreaterThan(0);
  });

  test('as speech: has sentences with times, an index, and is found or not', { timeout: timeoutMs }, async () => {
    const segments = [];
    for (let from = 0; from < text.length; from += 5_000) {
      const [start, end] = [from / 15, (from + 5_000) / 15];
      const own = text.slice(from, from + 5_000);
      segments.push({ id: segments.length, start, end, text: own, confidence: 0.9, flags: [], words: [] });
    }
    const transcript: Transcript = { language: 'en', text, segments };
    const sentences = toTimedSentences(transcript);
    const { passages, index } = makeSearchIndex({
      sentences,
      embeddings: { dimensions: 2, vectors: new Float32Array(2 * sentences.length) },
      chapters: [],
      language: 'en',
      weights: 'w',
    });
    const dictionary = createDictionary();
    const shard = toShard(parseIndexBytes(index).keywords, null, dictionary);
    const words = createSearchWords('en');
    for (const query of ['type', 'word', text.slice(0, 500)]) {
      const terms = toQueryTerms(query, words, dictionary);
      const hits = await searchKeywords(
        [shard],
        await locateQuery([shard], terms, () => undefined),
        10,
        () => undefined,
      );
      const known = new Set(terms.flatMap((each) => each.terms.map(({ term }) => term)));
      for (const { row } of hits) findHighlights(passages[row]?.text ?? '', known, words);
    }
  });
});

test.each([
  ['one sentence over and over', () => 'So it is.'],
  ['nothing but signs', () => '…'],
  ['a word each', (i: number) => `w${i}`],
  ['HTML', () => '<p>Type &amp; press.</p>'],
])('10,000 sentences of %s: have chapters, and 5,000 have topics or none', { timeout: timeoutMs }, (_, toText) => {
  const sentences = Array.from({ length: 10_000 }, (__, i) => toText(i));
  expect(findBoundaries({ sentences })[0]).toBe(0);
  const embeddings = {
    dimensions: 8,
    vectors: Float32Array.from({ length: 40_000 }, (__, i) => (i % 9 === 0 ? 1 : 0)),
  };
  const { assignments } = findTopics({ documents: sentences.slice(0, 5_000), embeddings });
  expect(assignments).toHaveLength(5_000);
});
