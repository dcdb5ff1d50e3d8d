import { expect, test } from 'vitest';
import { chooseLanguages } from '../src/spoken-language.ts';

const codes = ['en', 'de', 'fr'];
const choose = (options: Partial<Parameters<typeof chooseLanguages>[0]>) =>
  chooseLanguages({ shares: [], seconds: [20, 20, 20], given: null, expected: null, codes, ...options });

test('windows without an expected language have the one that they together most likely are', () => {
  const shares = [
    [0.3, 0.5, 0.2],
    [0.8, 0.1, 0.1],
  ];
  expect(choose({ shares })).toEqual(['en', 'en']);
});

test('a window that clearly is in another language than the others has that', () => {
  const shares = [
    [0.97, 0.02, 0.01],
    [0.01, 0.01, 0.98],
    [0.6, 0.4, 0],
  ];
  expect(choose({ shares })).toEqual(['en', 'fr', 'en']);
});

test('a window that may be in another language is in the expected one', () => {
  expect(choose({ shares: [[0.2, 0.8, 0]], expected: 'en' })).toEqual(['en']);
});

test('a short window is in the expected language however sure the model is', () => {
  expect(choose({ shares: [[0.01, 0.99, 0]], seconds: [1], expected: 'en' })).toEqual(['en']);
});

test('a given language holds whatever is heard', () => {
  expect(choose({ shares: [[0.01, 0.99, 0]], given: 'fr', expected: 'en' })).toEqual(['fr']);
});
