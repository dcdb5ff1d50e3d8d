import { expect, test } from 'vitest';
import { judgeWords } from '../src/match-words.ts';

const judge = (text: string, reference: string, language = 'en') => {
  const words = text.split(' ');
  const verdicts = judgeWords(words, reference, language);
  return words.map((word, i) => `${word} ${{ right: '+', wrong: '-', not_compared: '?' }[verdicts[i] ?? 'wrong']}`);
};

test('words of the reference are right, others and added ones wrong', () => {
  expect(judge('The cat, sat on the the hat.', 'the cat sat upon the hat')).toEqual([
    'The +',
    'cat, +',
    'sat +',
    'on -',
    'the -',
    'the +',
    'hat. +',
  ]);
});

test('words that become one number share its fate', () => {
  expect(judge('about fifty five men', 'about 55 men')).toEqual(['about +', 'fifty +', 'five +', 'men +']);
  expect(judge('about fifty six men', 'about 55 men')).toEqual(['about +', 'fifty -', 'six -', 'men +']);
});

test('a contraction is right when all of it is', () => {
  expect(judge("I'm sure it's", 'I am sure it was')).toEqual(["I'm +", 'sure +', "it's -"]);
});

test('fillers and signs are not compared', () => {
  expect(judge('Um, yes – no', 'yes no')).toEqual(['Um, ?', 'yes +', '– ?', 'no +']);
});

test('languages without spaces are compared by character', () => {
  expect(judge('今日 は。', '今日は', 'ja')).toEqual(['今日 +', 'は。 +']);
  expect(judge('昨日 は', '今日は', 'ja')).toEqual(['昨日 -', 'は +']);
});

test('with nothing said every word is wrong', () => {
  expect(judge('thank you', '')).toEqual(['thank -', 'you -']);
  expect(judgeWords([], 'something', 'en')).toEqual([]);
});
