import { readFileSync } from 'node:fs';
import { createWhisperTokens } from '@studymate/speech/whisper-tokens';
import { expect, test } from 'vitest';
import { mustKnowLanguage } from '../src/model-process/whisper-languages.ts';

const folder = new URL('../../../models/whisper-base/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const tokenizer = read('tokenizer.json');

test('a multilingual model knows its languages, and refuses one that only later models know', () => {
  const tokens = createWhisperTokens(tokenizer, read('generation_config.json'));
  for (const language of ['en', 'ar', null]) expect(() => mustKnowLanguage(tokens, language)).not.toThrow();
  expect(() => mustKnowLanguage(tokens, 'yue')).toThrow(expect.objectContaining({ code: 'unknown_language' }));
});

test('a multilingual export that lists no languages has those of its vocabulary', () => {
  const { lang_to_id: languageIds, ...generation } = read('generation_config.json');
  const tokens = createWhisperTokens(tokenizer, { ...generation, is_multilingual: true });
  expect(Object.fromEntries([...tokens.languageIds].map(([code, id]) => [`<|${code}|>`, id]))).toEqual(languageIds);
});

test('an English-only model refuses every other language by name, and takes one that is to be found', () => {
  const tokens = createWhisperTokens(tokenizer, { is_multilingual: false });
  for (const language of ['en', null]) expect(() => mustKnowLanguage(tokens, language)).not.toThrow();
  expect(() => mustKnowLanguage(tokens, 'de')).toThrow(
    expect.objectContaining({ code: 'unknown_language', message: expect.stringMatching(/"de".*English only/) }),
  );
});
