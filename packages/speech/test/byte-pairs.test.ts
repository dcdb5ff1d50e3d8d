import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createWhisperTokens } from '../src/whisper-tokens.ts';

const folder = new URL('../../../models/whisper-base/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const tokens = createWhisperTokens(read('tokenizer.json'), read('generation_config.json'));

/** Made with the tokenizers package 0.22 (Hugging Face) from the same tokenizer.json, without special tokens. */
test.each([
  [' سبعة', [8608, 3555, 27884]],
  ['إلغاء', [28814, 1211, 17082, 16606]],
  ['ثَمانِية', [12984, 6808, 2304, 7649, 11082, 10632]],
  [' zoom in', [8863, 294]],
  [' Zero.', [17182, 13]],
  [" I'll  go\n3.5 km!!", [286, 603, 220, 352, 198, 18, 13, 20, 10698, 1432]],
  [' 日本語テキスト', [220, 27311, 31348, 22985, 15535, 40498]],
  ["naïve 😀 don't", [629, 15487, 303, 20732, 222, 500, 380]],
  [' Gutenberg—Caxton', [42833, 6873, 2958, 34, 64, 44798]],
  ['  x ', [220, 2031, 220]],
  ['', []],
])('encoding %j gives the tokens of the reference, and decoding gives the text back', (text, expected) => {
  expect(tokens.encode(text)).toEqual(expected);
  expect(tokens.decode(expected)).toBe(text);
});
