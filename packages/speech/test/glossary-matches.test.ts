import { expect, test } from 'vitest';
import { createGlossary, findGlossaryMatches } from '../src/glossary-matches.ts';

/** One token a word. */
const find = (said: string, terms: string[], language: string | null = 'en') => {
  const words = said.split(/(?= )/).map((text, firstToken) => ({ text, firstToken, tokenCount: 1 }));
  return findGlossaryMatches(createGlossary(terms), words, language).map(({ firstToken, tokenCount, text }) => ({
    instead: words
      .slice(firstToken, firstToken + tokenCount)
      .map((word) => word.text)
      .join(''),
    text,
  }));
};

test('a misspelt term: found with the signs around it, its possessive kept', () => {
  expect(find(' It was (Shastakovich), they say', ['Shostakovich'])).toContainEqual({
    instead: ' (Shastakovich),',
    text: ' (Shostakovich),',
  });
  expect(find(" This is Janicic's own", ['Janáček'])).toContainEqual({
    instead: " Janicic's",
    text: " Janáček's",
  });
});

test('a term as it should be, also with a word behind it that could be its end: nothing is found', () => {
  expect(find(' The ribosome to which it goes', ['ribosome'])).toEqual([]);
  expect(find(' near the Golgi apparatus, a part', ['Golgi apparatus'])).toEqual([]);
});

test('another case or accent: found; a capital that begins a sentence is none', () => {
  expect(find(' by Kekule.', ['Kekulé'])).toContainEqual({ instead: ' Kekule.', text: ' Kekulé.' });
  const found = find(' So. Enzymes and Eigenvalue there', ['eigenvalue', 'enzymes']);
  expect(found).toContainEqual({ instead: ' Eigenvalue', text: ' eigenvalue' });
  expect(found.filter(({ instead }) => instead.includes('Enzymes'))).toEqual([]);
});

test('at the start of a sentence: the term has a capital where the text had one', () => {
  expect(find(' Proteusome is marked', ['proteasome'])).toContainEqual({
    instead: ' Proteusome',
    text: ' Proteasome',
  });
});

test('a short term, or another case of what is written: found, but that says little', () => {
  const isSlight = (said: string, term: string) => {
    const words = said.split(/(?= )/).map((text, firstToken) => ({ text, firstToken, tokenCount: 1 }));
    return findGlossaryMatches(createGlossary([term]), words, 'en').map((match) => [match.text, match.isSlight]);
  };
  expect(isSlight(' and it is', 'IT')).toContainEqual([' IT', true]);
  expect(isSlight(' a 5k net', '5G')).toContainEqual([' 5G', true]);
  expect(isSlight(' the eigenvalue, too', 'Eigenvalue')).toContainEqual([' Eigenvalue,', true]);
  expect(isSlight(' the Shastakovich', 'Shostakovich')).toContainEqual([' Shostakovich', false]);
  expect(isSlight(' by Kekule', 'Kekulé')).toContainEqual([' Kekulé', false]);
});

test('what ends in s: the plural of the term is offered, too, where plurals are made so', () => {
  const texts = (language: string) => find(' two perseptrons learn', ['perceptron'], language).map(({ text }) => text);
  expect(texts('en')).toContain(' perceptrons');
  expect(texts('de')).not.toContain(' perceptrons');
});

test('a text of unspaced characters: pieces are matched as they stand', () => {
  const words = [...'彼はカントを読む'].map((text, firstToken) => ({ text, firstToken, tokenCount: 1 }));
  expect(findGlossaryMatches(createGlossary(['カント']), words, 'ja')).toEqual([]);
});

test('terms without sounds and empty glossaries: nothing is found', () => {
  expect(find(' anything at all', ['—'])).toEqual([]);
  expect(find(' anything at all', [])).toEqual([]);
});
