import { ApiError } from '@studymate/client/api-error';
import { errorCatalogue } from '@studymate/contracts/errors';
import { describe, expect, test } from 'vitest';
import { findLanguage } from '../src/state/language.ts';
import { ar } from '../src/text/ar.ts';
import { en, type Messages } from '../src/text/en.ts';
import { toMessage, toReason } from '../src/text/problems.ts';

/** What the API says has its own words in English; `problems` and `warnings` are looked at by their codes below. */
const ownTexts = ({ problems: _, warnings: __, ...texts }: Messages) => texts;

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
    const texts = listTexts(ownTexts(catalogue));
    const withoutLetters =
      /^(locale|direction|cards\.place|course\.sharedBy|upload\.action|status\.share|terms\.problem|time\.day\()/;
    const wrong = texts.filter(([path, text]) => !withoutLetters.test(path) && !letters.test(text));
    expect(wrong).toEqual([]);
    expect(texts.filter(([, text]) => /undefined|null|NaN|\[object/.test(text))).toEqual([]);
    expect(texts.map(([path]) => path)).toEqual(listTexts(ownTexts(en)).map(([path]) => path));
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

describe('what the API says', () => {
  const warningCodes = ['incomplete_media', 'damaged_media', 'no_speech', 'no_clear_speech'];
  const letters = /\p{Script=Arabic}/u;

  test('has an Arabic text for every code of the catalogue and for every warning', () => {
    const without = (codes: readonly string[], texts: Messages['problems']) =>
      codes.filter((code) => !letters.test(toReason({ code, message: 'why' }, texts)));
    expect(without(Object.keys(errorCatalogue), ar.problems)).toEqual([]);
    expect(without(warningCodes, ar.warnings)).toEqual([]);
    expect(Object.keys(ar.problems).filter((code) => !Object.hasOwn(errorCatalogue, code))).toEqual([]);
  });

  test('stays as it is in English, and where a code has no text', () => {
    const error = new ApiError(422, 'r1', null, { error: { code: 'not_media', message: 'Not a recording.' } });
    expect(toMessage(error, en)).toBe('Not a recording.');
    expect(toMessage(error, ar)).toBe(ar.problems.not_media);
    expect(toReason({ code: 'of_tomorrow', message: 'As it is.' }, ar.problems)).toBe('As it is.');
    expect(toReason({ code: 'constructor', message: 'As it is.' }, ar.problems)).toBe('As it is.');
  });

  test('keeps what only its message has: the field that is wrong, the request that failed, the seconds that are missing', () => {
    const wrong = new ApiError(400, 'r1', null, { error: { code: 'invalid_request', message: 'title: too long' } });
    expect(toMessage(wrong, ar)).toContain('title: too long');
    const fault = new ApiError(500, 'r1', null, { error: { code: 'internal', message: 'Oh.' } });
    expect(toMessage(fault, ar)).toContain('r1');
    const warning = { code: 'incomplete_media', message: '', declaredSeconds: 60.4, decodedSeconds: 41.2 };
    expect(toReason(warning, ar.warnings)).toMatch(/41.*60/);
  });
});
