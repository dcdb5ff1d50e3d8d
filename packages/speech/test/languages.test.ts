import { AppError } from '@studymate/contracts/errors';
import { expect, test } from 'vitest';
import { isUnspacedLanguage, languages, parseLanguage } from '../src/languages.ts';

test('there are 100 languages and each is found by its code and its name in any case', () => {
  expect(Object.keys(languages)).toHaveLength(100);
  for (const [code, name] of Object.entries(languages)) {
    expect(parseLanguage(code.toUpperCase())).toBe(code);
    expect(parseLanguage(` ${name.toUpperCase()} `)).toBe(code);
  }
});

test('other names, regions and old codes lead to Whisper’s code', () => {
  expect(['Mandarin', 'castilian', 'pt-BR', 'de_AT', 'iw', 'jv'].map(parseLanguage)).toEqual([
    'zh',
    'es',
    'pt',
    'de',
    'he',
    'jw',
  ]);
});

test.each(['', 'klingon', 'xx', '__proto__', 'constructor', 'e'.repeat(10_000)])(
  'an unknown language (%.20s) is refused with a code and a hint',
  (text) => {
    const refuse = () => parseLanguage(text);
    expect(refuse).toThrow(AppError);
    expect(refuse).toThrow(expect.objectContaining({ code: 'unknown_language' }));
    expect(refuse).toThrow(/ISO 639-1/);
  },
);

test('languages without spaces are known', () => {
  expect(['ja', 'zh', 'th'].every(isUnspacedLanguage)).toBe(true);
  expect(isUnspacedLanguage('en') || isUnspacedLanguage(null)).toBe(false);
});
