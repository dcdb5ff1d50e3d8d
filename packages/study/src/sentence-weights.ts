import type { Terms } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** Added to the number of words, so that two or three of them alone are not the densest sentence. */
const themeDamping = 5;
/** Distinct terms at which a sentence says enough. */
const fullTerms = 7;

/** The distinct terms of each sentence, as how often the text speaks of each: logarithmic, 1 for the most frequent one. */
function toTermFrequencies(sentences: readonly string[], terms: Terms): number[][] {
  const stems = sentences.map((sentence) => [...new Set(terms.contentStems(sentence))]);
  const frequency = new Map<string, number>();
  for (const stem of stems.flat()) frequency.set(stem, (frequency.get(stem) ?? 0) + 1);
  const highest = Math.log1p([...frequency.values()].reduce((a, b) => Math.max(a, b), 1));
  return stems.map((own) => own.map((stem) => Math.log1p(frequency.get(stem) as number) / highest));
}

/** For each sentence the sum of its distinct terms' frequencies, by the root of its length; 0 to about 1. */
export function thematicWeights(sentences: readonly string[], terms: Terms): Float64Array {
  return Float64Array.from(toTermFrequencies(sentences, terms), (own, row) => {
    const sum = own.reduce((total, frequency) => total + frequency, 0);
    return sum / Math.sqrt(findWords(sentences[row] as string).length + themeDamping);
  });
}

/** How much of the text's own vocabulary a sentence carries, 0 to 1: rare words count little, recurring ones much. */
export function informativeness(sentences: readonly string[], terms: Terms): Float64Array {
  return Float64Array.from(toTermFrequencies(sentences, terms), (own) => {
    const carried = own.reduce((sum, frequency) => sum + 0.4 + 0.6 * frequency, 0);
    return 0.1 + 0.9 * Math.min(1, carried / (0.7 * fullTerms));
  });
}
