import { expect, test } from 'vitest';
import { normaliseCandidate, toRanking, toSpellings } from '../src/candidates.ts';
import { languages } from '../src/languages.ts';
import { languagesWrittenLike } from '../src/written-languages.ts';

test('spellings: begin with a space, and have a capital and a small first letter where there are such', () => {
  expect(toSpellings(' new  York ')).toEqual([' new York', ' New York']);
  expect(toSpellings('Zero')).toEqual([' Zero', ' zero']);
  expect(toSpellings('سبعة')).toEqual([' سبعة']);
  expect(toSpellings('42')).toEqual([' 42']);
});

test('texts that differ in nothing that can be heard: are the same once normalised', () => {
  expect(normaliseCandidate('e\u0301  a\t')).toBe(normaliseCandidate(' é a'));
});

test('a ranking: adds up to 1, and takes off what is likely without any sound', () => {
  const usual = { underSound: -2, underSilence: -1 };
  const spoken = { underSound: -3, underSilence: -12 };
  const { probabilities, anyProbability } = toRanking([[usual], [spoken]]);
  expect((probabilities[0] as number) + (probabilities[1] as number)).toBeCloseTo(1, 10);
  expect(probabilities[1]).toBeGreaterThan(0.95);
  expect(anyProbability).toBeGreaterThan(0.9);
});

test('a candidate in two spellings: is as likely as both together', () => {
  const one = { underSound: -3, underSilence: -8 };
  const { probabilities } = toRanking([[one, one], [one]]);
  expect(probabilities[0]).toBeGreaterThan(0.55);
});

test('texts that are all less likely than under silence: are probably not what is said', () => {
  expect(toRanking([[{ underSound: -9, underSilence: -8 }]])).toMatchObject({ probabilities: [1] });
  expect(toRanking([[{ underSound: -9, underSilence: -8 }]]).anyProbability).toBeLessThan(0.1);
});

test('a single impossible candidate: still has a probability that is a number', () => {
  const { probabilities } = toRanking([
    [{ underSound: -900, underSilence: -2 }],
    [{ underSound: -2, underSilence: -900 }],
  ]);
  expect(probabilities).toEqual([0, 1]);
});

const codes = Object.keys(languages);
test.each([
  [
    ['خلف', 'zoom in', 'لا'],
    ['ar', 'fa', 'ur', 'ps', 'sd'],
  ],
  [['ναι', 'όχι'], ['el']],
  [['東京'], ['zh', 'yue', 'ja']],
  [['ひらがな'], ['ja']],
])('languages written like %j: %j', (texts, expected) => {
  expect(languagesWrittenLike(texts, codes).sort()).toEqual([...expected].sort());
});

test('languages written like Latin text: all but those of other scripts; like digits: all', () => {
  const latin = languagesWrittenLike(['yes', 'no'], codes);
  expect(latin).toEqual(expect.arrayContaining(['en', 'de', 'tr', 'sr', 'sw']));
  expect(latin).not.toContain('ru');
  expect(languagesWrittenLike(['1', '2'], codes)).toEqual(codes);
  expect(languagesWrittenLike(['ናይ'], ['en', 'de'])).toEqual(['en', 'de']);
});
