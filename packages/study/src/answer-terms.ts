import type { NounGuess, Phrase } from './key-phrases.ts';
import { isGenericNoun } from './key-phrases.ts';
import { findWords } from './text-terms.ts';

/** See `clozeScore`: a name, a term of several words, or a word that is said three times. */
export const leastAnswerScore = 0.55;

/** Names, terms of two words and what the lecture speaks of repeatedly are worth asking for. */
export function clozeScore(phrase: Phrase): number {
  const named = /\p{Lu}/u.test(phrase.text) ? 1 : 0;
  if (named === 0 && phrase.wordCount === 1 && phrase.sentences.length < 3) return 0;
  const words = phrase.wordCount === 2 ? 0.8 : phrase.wordCount === 3 ? 0.6 : 0;
  return named + words + Math.min(1.5, Math.log1p(phrase.sentences.length - 1));
}

/** Nothing is learnt from "the same idea". */
export function isVague(answer: string, nouns: NounGuess): boolean {
  const words = findWords(answer);
  const last = words.at(-1);
  if (last === undefined || /\p{Lu}/u.test(answer) || !isGenericNoun(last.lower)) return false;
  return words.slice(0, -1).every(({ lower }) => !nouns.isNoun(lower));
}
