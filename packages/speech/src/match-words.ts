import { normaliseBasic, normaliseEnglish } from './error-rate.ts';
import { isUnspacedLanguage } from './languages.ts';

/** A transcribed word held against what was said. */
export type Verdict = 'right' | 'wrong' | 'not_compared';

/** The words of a text as errors are counted: by Whisper's normaliser, by character where there are no spaces. */
export function toComparedWords(text: string, language: string | null): string[] {
  return language === 'en'
    ? normaliseEnglish(text)
    : normaliseBasic(text, { byCharacter: isUnspacedLanguage(language) });
}

/**
 * Which words of a transcript are right. A word is right when everything that it becomes in the comparison is found in
 * the reference by a cheapest alignment; fillers and signs, of which nothing is left, are not compared.
 * @param words as they stand in the transcript, in order
 * @param language ISO 639-1 of both
 */
export function judgeWords(words: readonly string[], reference: string, language: string | null): Verdict[] {
  const { compared, spans } = normaliseWords(words, language);
  const found = matched(toComparedWords(reference, language), compared);
  return spans.map(({ from, to }) => {
    if (from === to) return 'not_compared';
    return found.slice(from, to).every(Boolean) ? 'right' : 'wrong';
  });
}

/** So many words are normalised together: what joins words (numbers) reaches no further. */
const blockWords = 40;

/**
 * What the words become, and which part of it each word has a share in. "Fifty five" becomes "55", in which both have.
 * A word's part is seen by normalising the text up to it, and up to the word before it.
 */
function normaliseWords(words: readonly string[], language: string | null) {
  const compared: string[] = [];
  const spans: { from: number; to: number }[] = [];
  for (let start = 0; start < words.length; start += blockWords) {
    const block = words.slice(start, start + blockWords);
    let before: string[] = [];
    const ends: { common: number; length: number }[] = [];
    block.forEach((_, i) => {
      const after = toComparedWords(block.slice(0, i + 1).join(' '), language);
      let common = 0;
      while (common < before.length && before[common] === after[common]) common++;
      ends.push({ common, length: after.length });
      before = after;
    });
    const base = compared.length;
    compared.push(...before);
    for (const { common, length } of ends) {
      const to = Math.min(length, before.length);
      spans.push({ from: base + Math.min(common, to), to: base + to });
    }
  }
  return { compared, spans };
}

/** For each word of the hypothesis, whether a cheapest alignment (Levenshtein) finds it in the reference. */
function matched(reference: readonly string[], hypothesis: readonly string[]): boolean[] {
  const width = hypothesis.length + 1;
  const costs = Array.from({ length: reference.length + 1 }, () => new Uint32Array(width));
  const cost = (i: number, j: number): number => (costs[i] as Uint32Array)[j] as number;
  for (let i = 0; i <= reference.length; i++) {
    const row = costs[i] as Uint32Array;
    for (let j = 0; j < width; j++) {
      if (i === 0 || j === 0) row[j] = i + j;
      else {
        const swap = cost(i - 1, j - 1) + (reference[i - 1] === hypothesis[j - 1] ? 0 : 1);
        row[j] = Math.min(swap, cost(i - 1, j) + 1, (row[j - 1] as number) + 1);
      }
    }
  }
  const found = hypothesis.map(() => false);
  let i = reference.length;
  let j = hypothesis.length;
  while (i > 0 && j > 0) {
    const isSame = reference[i - 1] === hypothesis[j - 1];
    if (cost(i, j) === cost(i - 1, j - 1) + (isSame ? 0 : 1)) {
      found[j - 1] = isSame;
      i--;
      j--;
    } else if (cost(i, j) === cost(i - 1, j) + 1) i--;
    else j--;
  }
  return found;
}
