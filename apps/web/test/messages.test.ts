import { describe, expect, test } from 'vitest';
import { findLanguage } from '../src/state/language.ts';
import { ar } from '../src/text/ar.ts';
import { en } from '../src/text/en.ts';

/** Every text of a catalogue by its path; functions with each number, and a name, in place of what they are given. */
function listTexts(catalogue: object, path = ''): [path: string, text: string][] {
  return Object.entries(catalogue).flatMap(([key, value]): [string, string][] => {
    const here = `${path}${key}`;
    if (typeof value === 'string') return [[here, value]];
    if (typeof value === 'object' && value !== null) return listTexts(value, `${here}.`);
    const calls = here.endsWith('stageDone') ? [[['x', 'y']]] : [0, 1, 2, 3, 11, 100].map((n) => [n, n, n]);
    return calls.map((args, i) => [`${here}(${i})`, (value as (...args: unknown[]) => string)(...args)]);
  });
}

describe.each([
  ['English', en, /[A-Za-z]/],
  ['Arabic', ar, /\p{Script=Arabic}/u],
] as const)('the texts in %s', (_, catalogue, letters) => {
  test('have none missing, empty, or in another language', () => {
    const texts = listTexts(catalogue);
    const withoutLetters = /^(locale|direction|cards\.place|course\.sharedBy|upload\.action|status\.share|time\.day\()/;
    const wrong = texts.filter(([path, text]) => !withoutLetters.test(path) && !letters.test(text));
    expect(wrong).toEqual([]);
    expect(texts.filter(([, text]) => /undefined|null|NaN|\[object/.test(text))).toEqual([]);
    expect(texts.map(([path]) => path)).toEqual(listTexts(en).map(([path]) => path));
  });
});

test('numbers have the form of the noun that Arabic wants', () => {
  expect([1, 2, 3, 10, 11, 100].map(ar.search.moments)).toEqual([
    'لحظة واحدة',
    'لحظتان',
    '3 لحظات',
    '10 لحظات',
    '11 لحظة',
    '100 لحظة',
  ]);
});

test('the language is the one that was chosen, else the first that the browser prefers and there is', () => {
  expect(findLanguage(['', 'fr-CA', 'ar-EG', 'en'])).toBe('ar');
  expect(findLanguage(['en', 'ar'])).toBe('en');
  expect(findLanguage(['', 'fr', 'arn'])).toBe('en');
});
