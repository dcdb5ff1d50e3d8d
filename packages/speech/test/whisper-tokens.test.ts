import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createWhisperTokens } from '../src/whisper-tokens.ts';

const folder = new URL('../../../models/whisper-base/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const tokenizer = read('tokenizer.json');
const tokens = createWhisperTokens(tokenizer, read('generation_config.json'));

/** Ids of the given vocabulary entries ("Ġ" is a leading space). */
const ids = (...entries: string[]): number[] => entries.map((entry) => tokenizer.model.vocab[entry] as number);

test('special tokens have the ids of the multilingual vocabulary', () => {
  expect(tokens).toMatchObject({
    endOfText: 50257,
    startOfTranscript: 50258,
    translate: 50358,
    transcribe: 50359,
    noSpeech: 50362,
    noTimestamps: 50363,
  });
  expect(tokens.languageIds.size).toBe(99);
  expect(tokens.languageIds.get('en')).toBe(50259);
  expect(tokens.languageOf.get(50261)).toBe('de');
  expect(tokens.suppressed).toContain(50358);
  expect(tokens.suppressedAtStart).toEqual([220, 50257]);
  expect(tokens.alignmentHeads).toHaveLength(8);
});

test('text is decoded across tokens that hold parts of a character, and special tokens are left out', () => {
  const japanese = ids('è', 'Ļ', 'į');
  expect(tokens.decode(japanese)).toBe(Buffer.from([0xe8, 0x99, 0x8d]).toString('utf8'));
  expect(tokens.decode([50258, ...ids('ĠHello', ','), 50257])).toBe(' Hello,');
  expect(tokens.decode(ids('è', 'Ļ'))).toContain('\uFFFD');
});

test('words keep their leading space, pieces of words are joined, and signs go to the word they belong to', () => {
  const list = ids('ĠHe', 'Ġsaid', ',', 'Ġ"', 'Hello', 'Ġwood', 'c', 'ut', 'ters', '!"');
  const words = tokens.splitIntoWords(list, 'en');
  expect(words.map(({ text }) => text)).toEqual([' He', ' said,', ' "Hello', ' woodcutters!"']);
  expect(words.reduce((sum, { tokenCount }) => sum + tokenCount, 0)).toBe(list.length);
  expect(words.map(({ firstToken }) => firstToken)).toEqual([0, 1, 3, 5]);
});

test.each([
  ['a hyphen', ['ĠA', 'Ġwell', '-', 'known', 'Ġone', '.'], 'en', [' A', ' well-known', ' one.']],
  ['a decimal', ['Ġ', '3', '.', '5', 'Ġpercent'], 'en', [' 3.5', ' percent']],
  ['thousands', ['Ġ$', '1', ',', '000', ',', 'Ġor'], 'en', [' $1,000,', ' or']],
  ['an English apostrophe', ['ĠIt', "'", 's', 'Ġso'], 'en', [" It's", ' so']],
  ['a French elision', ['ĠC', "'", 'est', 'Ġl', "'", 'h', 'omme'], 'fr', [" C'est", " l'homme"]],
])('%s leaves whole words, and every token stays in one', (_, entries, language, expected) => {
  const list = ids(...entries);
  const words = tokens.splitIntoWords(list, language);
  expect(words.map(({ text }) => text)).toEqual(expected);
  let next = 0;
  for (const { firstToken, tokenCount } of words) {
    expect(firstToken).toBe(next);
    next += tokenCount;
  }
  expect(next).toBe(list.length);
});

test('a loop without spaces becomes words of bounded length', () => {
  const list = [...ids('Ġha'), ...Array.from({ length: 300 }, () => ids('-', 'ha')).flat()];
  const words = tokens.splitIntoWords(list, 'en');
  expect(Math.max(...words.map(({ text }) => text.length))).toBeLessThan(70);
  expect(words.map(({ text }) => text).join('')).toBe(tokens.decode(list));
});

test('Arabic words are parted at their spaces, with their signs', () => {
  const arabic = ' ما هو البركان؟ هو فتحة، في الأرض.';
  const byteToUnicode = (byte: number): string => {
    const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    if (printable(byte)) return String.fromCharCode(byte);
    return String.fromCharCode(256 + Array.from({ length: byte }, (_, b) => b).filter((b) => !printable(b)).length);
  };
  const list = ids(...[...Buffer.from(arabic)].map(byteToUnicode));
  expect(tokens.splitIntoWords(list, 'ar').map(({ text }) => text.trim())).toEqual(arabic.trim().split(' '));
});

test('languages without spaces are split by whole characters, closing signs stay with the word before', () => {
  const list = ids('ä½ł', 'å¥½', 'ãĢĤ');
  expect(tokens.splitIntoWords(list, 'zh').map(({ text }) => text)).toEqual(['你', '好。']);
  expect(tokens.splitIntoWords(list, 'en').map(({ text }) => text)).toEqual(['你好。']);
});

test('bytes that never become a character neither hang nor lose tokens', () => {
  const list = ids('è', 'è', 'è', 'è', 'è', 'Ġok');
  const words = tokens.splitIntoWords(list, 'ja');
  expect(words.reduce((sum, { tokenCount }) => sum + tokenCount, 0)).toBe(list.length);
});

test('a tokenizer of another model is refused', () => {
  expect(() => createWhisperTokens({ model: { vocab: { a: 0 } }, added_tokens: [] }, {})).toThrow(
    /not that of a Whisper/,
  );
});
