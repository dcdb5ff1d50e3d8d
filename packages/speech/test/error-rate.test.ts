import { expect, test } from 'vitest';
import { countWordErrors, normaliseBasic, normaliseEnglish, wordErrorRate } from '../src/error-rate.ts';

test.each([
  ["I'm sure we won't, Mr. Smith!", 'i am sure we will not mister smith'],
  ['um, Hmm [laughs] (aside) so', 'so'],
  ['Café naïve', 'cafe naive'],
  ['about fourteen fifty-five', 'about 1455'],
  ['the fifteenth century', 'the 15th century'],
  ['forty-two lines', '42 lines'],
  ['in 1,462 and 1462', 'in 1462 and 1462'],
  ['two hundred and six men and one thousand two hundred', '206 men and 1200'],
  ['nineteen oh five', '1905'],
  ['twenty-first of May', '21st of may'],
  ['three point one four', '3.14'],
  ['nine percent, five dollars', '9% $5'],
  ['fifteen or twenty years', '15 or 20 years'],
] as const)('normalised English: %s', (text, expected) => {
  expect(normaliseEnglish(text).join(' ')).toBe(expected);
});

test('other languages lose case and signs only, and can be compared by character', () => {
  expect(normaliseBasic('Où est-il ? Là.')).toEqual(['où', 'est', 'il', 'là']);
  expect(normaliseBasic('今日は。', { byCharacter: true })).toEqual(['今', '日', 'は']);
});

test('errors are counted by kind', () => {
  const count = countWordErrors('a b c d e f g'.split(' '), 'a x c d f g h'.split(' '));
  expect(count).toEqual({ substitutions: 1, deletions: 1, insertions: 1, referenceWords: 7 });
  expect(wordErrorRate(count)).toBeCloseTo(3 / 7);
  expect(wordErrorRate(countWordErrors(['a'], []))).toBe(1);
  expect(wordErrorRate(countWordErrors([], []))).toBe(0);
  expect(wordErrorRate(countWordErrors([], ['a']))).toBe(1);
});
