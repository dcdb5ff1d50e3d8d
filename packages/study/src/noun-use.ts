import type { NounGuess } from './key-phrases.ts';
import type { Terms } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** What stands before the name of something. */
const nounBefore =
  /^(?:an?|the|this|that|these|those|my|your|our|his|her|their|its|some|any|no|each|every|all|both|many|most|more|several|of|in|on|at|by|with|from|for|into|through|between|without|under|about|per|versus)$/;
/** What stands before a verb. */
const verbBefore =
  /^(?:i|you|we|they|he|she|it|who|to|can|could|will|would|shall|should|may|might|must|do|does|did|not|never|just|cannot)$|'(?:ll|d|ve|re|m)$|n't$/;
/** A participle or an adjective is likelier behind these than a noun without an article. */
const stateBefore = /^(?:is|are|was|were|be|been|being|get|gets|got|getting|become|becomes)$|^(?:it|that|he|she)'s$/;
/** What a noun without an article is the subject of: "momentum is conserved". */
const predicateAfter = /^(?:is|are|was|were|has|have|had|can|could|will|would|may|might|must|should|does|do)$/;
/** What a verb has for an object. */
const objectAfter = /^(?:an?|the|this|these|those|my|your|our|his|her|their|its|it|them|us|me|him)$/;

interface Use {
  noun: number;
  verb: number;
  total: number;
}

/** A word that is said so often as a noun has something that shows it at least once. */
const enoughToShow = 5;

/**
 * Which English words a text uses as nouns, or in front of nouns, by the words beside them: "the search" against "to
 * search", "they get stuck". A word list knows what a word mostly is, this what it is here. A word that is hardly said and
 * shows nothing may be one.
 */
export function createNounUse(params: {
  sentences: readonly string[];
  terms: Terms;
  nouns: NounGuess;
}): (lower: string) => boolean {
  const { sentences, terms, nouns } = params;
  const uses = new Map<string, Use>();
  for (const sentence of sentences) {
    const words = findWords(sentence);
    words.forEach(({ lower, text, index }, at) => {
      const before = words[at - 1];
      const after = words[at + 1];
      const adjoins = (from: number, to: number): boolean => /^\s+$/u.test(sentence.slice(from, to));
      const left = before && adjoins(before.index + before.text.length, index) ? before.lower : '';
      const right = after && adjoins(index + text.length, after.index) ? after.lower : '';
      const use = uses.get(lower) ?? { noun: 0, verb: 0, total: 0 };
      use.total++;
      if (nounBefore.test(left)) use.noun++;
      else if (left === '' && predicateAfter.test(right)) use.noun++;
      else if (verbBefore.test(left) || objectAfter.test(right)) use.verb++;
      else if (stateBefore.test(left)) use.verb += 0.5;
      // "The table showing", "an object moving".
      else if (/.{2}ing$/.test(lower)) use.verb += 0.5;
      else if (left !== '' && !terms.isStopWord(left) && nouns.isNominal(left)) use.noun += 0.5;
      uses.set(lower, use);
    });
  }
  return (lower) => {
    const use = uses.get(lower);
    if (use === undefined || (use.noun === 0 && use.verb === 0)) return (use?.total ?? 0) < enoughToShow;
    return use.noun > use.verb;
  };
}
