import { readFileSync } from 'node:fs';
import { createGlossary } from '@studymate/speech/glossary-matches';
import { createWhisperTokens } from '@studymate/speech/whisper-tokens';
import { expect, test } from 'vitest';
import type { Attempt } from '../src/model-process/whisper-decode.ts';
import { correctTerms } from '../src/model-process/whisper-glossary.ts';
import type { EncodedWindows, WhisperModel } from '../src/model-process/whisper-model.ts';
import type { Prefix } from '../src/model-process/whisper-prefix.ts';

const folder = new URL('../../../models/whisper-base/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const tokens = createWhisperTokens(read('tokenizer.json'), read('generation_config.json'));

/** What a term does to a text for which the decoder has so many positions: the most that were fed. */
async function mostFed(text: string, term: string, maxPositions: number): Promise<number> {
  let most = 0;
  const prefixOf = (fed: number, added: number): Prefix => {
    most = Math.max(most, fed + added);
    const logits = Array.from({ length: added }, () => new Float32Array(51_865));
    return { logits, extend: async (next) => prefixOf(fed + added, next.length) };
  };
  const model = {
    tokens,
    maxPositions,
    startPrefix: async (_: EncodedWindows, prompt: readonly number[]) => prefixOf(0, prompt.length),
  } as unknown as WhisperModel;
  const written = tokens.encode(text);
  const attempt = {
    tokens: written,
    logProbabilities: written.map(() => -2),
    attention: { attention: new Float32Array(0), headCount: 0, rowCount: 0, columnCount: 0 },
  } as unknown as Attempt;
  const window = {} as EncodedWindows;
  const glossary = createGlossary([term]);
  await correctTerms({ model, glossary, window, prompt: [1, 2, 3, 4], attempt, language: 'en', context: {} });
  return most;
}

test('terms at the end of a text that fills the decoder: none is scored beyond its last position', async () => {
  const text = ` by Caxtun${' and so on'.repeat(10)} and on by Shastakovich, by Shastakovich.`;
  const length = 4 + tokens.encode(text).length;
  const free = await mostFed(text, 'Shostakovich', 448);
  expect(free).toBeGreaterThan(length - 8);
  for (let maxPositions = free - 1; maxPositions > free - 8; maxPositions--) {
    expect(await mostFed(text, 'Shostakovich', maxPositions)).toBeLessThanOrEqual(maxPositions);
  }
});
