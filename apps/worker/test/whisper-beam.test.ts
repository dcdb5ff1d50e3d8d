import type { WhisperTokens } from '@studymate/speech/whisper-tokens';
import { expect, test } from 'vitest';
import { createTextSearch } from '../src/model-process/whisper-beam.ts';
import type { WhisperModel } from '../src/model-process/whisper-model.ts';
import type { Prefix } from '../src/model-process/whisper-prefix.ts';

/** Ids 0 to 3 are the letters a to d, 4 ends the text, 5 is the prompt. */
const endOfText = 4;
const letters = 'abcd';

/** A model that goes on from each text with the given probabilities; where none are given the text ends. */
function modelOf(continuations: Record<string, Record<string, number>>, fed: string[] = []) {
  const toPrefix = (text: string): Prefix => {
    const logits = new Float32Array(6).fill(-30);
    const next = continuations[text] ?? { '.': 1 };
    for (const [letter, share] of Object.entries(next)) {
      logits[letter === '.' ? endOfText : letters.indexOf(letter)] = Math.log(share);
    }
    return {
      logits: [logits],
      async extend(tokens) {
        const longer = text + tokens.map((token) => letters[token]).join('');
        fed.push(longer);
        return toPrefix(longer);
      },
    };
  };
  const tokens = {
    endOfText,
    suppressed: [],
    suppressedAtStart: [endOfText],
    alignmentHeads: [],
    decode: (ids: readonly number[]) => ids.map((id) => letters[id]).join(''),
  } as unknown as WhisperTokens;
  return { tokens, maxPositions: 20, startPrefix: async () => toPrefix('') } as unknown as WhisperModel;
}

const noAttention = { attention: new Float32Array(0), headCount: 0, rowCount: 0, columnCount: 0 };

async function search(model: WhisperModel, text: string, probability: number, signal?: AbortSignal) {
  const attempt = {
    tokens: [...text].map((letter) => letters.indexOf(letter)),
    logProbabilities: [...text].map(() => Math.log(probability) / (text.length + 1)),
    averageLogProbability: Math.log(probability) / (text.length + 1),
    compressionRatio: 1,
    attention: noAttention,
  };
  const context = signal ? { signal } : {};
  const window = {} as Parameters<ReturnType<typeof createTextSearch>>[0]['window'];
  const found = await createTextSearch(model)({ window, prompt: [5], attempt, wordTimes: false, context });
  return found && { ...found, text: model.tokens.decode(found.tokens) };
}

/** "a" is the likelier beginning, but "bd" the likelier text. */
const takesBack = {
  '': { a: 0.6, b: 0.4 },
  a: { c: 0.3, d: 0.3, a: 0.2, b: 0.2 },
  b: { d: 1 },
};

test('a text whose first token is not the likeliest is found when it is the likelier text', async () => {
  const found = await search(modelOf(takesBack), 'ac', 0.18);
  expect(found?.text).toBe('bd');
  expect(found?.averageLogProbability).toBeCloseTo(Math.log(0.4) / 3, 2);
  expect(found?.logProbabilities.map(Math.exp)).toEqual([expect.closeTo(0.4, 2), expect.closeTo(1, 2)]);
});

test('nothing is found when the text at hand is the likeliest', async () => {
  expect(await search(modelOf(takesBack), 'bd', 0.4)).toBeNull();
  expect(await search(modelOf({ '': { a: 0.9, b: 0.1 } }), 'a', 0.9)).toBeNull();
});

test('a text that does not end is given up', async () => {
  const endless = Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['a'.repeat(i), { a: 1 }]));
  const fed: string[] = [];
  expect(await search(modelOf(endless, fed), 'b', 0.01)).toBeNull();
  expect(fed.length).toBeLessThan(20);
});

test('hopeless beginnings are not followed', async () => {
  const fed: string[] = [];
  await search(modelOf({ '': { a: 0.95, b: 0.045, c: 0.005 } }, fed), 'd', 0.001);
  expect(fed).toEqual(['a', 'b']);
});

test('a search that is cancelled ends with the reason', async () => {
  const controller = new AbortController();
  controller.abort(new Error('not wanted any more'));
  await expect(search(modelOf(takesBack), 'ac', 0.18, controller.signal)).rejects.toThrow('not wanted any more');
});
