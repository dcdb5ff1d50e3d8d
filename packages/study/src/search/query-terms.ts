import type { Dictionary } from './dictionary.ts';
import type { SearchWords } from './search-words.ts';

/** One word of a query: the terms under which it is looked for, each with how much it counts. */
export interface QueryTerm {
  terms: { term: string; number: number; weight: number }[];
}

/** Further words add nothing but time. */
const maxQueryWords = 32;
const maxBeginnings = 24;
const maxNearMisses = 8;
/** Words of a query that are taken for misspelt: looking for near misses takes some milliseconds each. */
const maxMisspelt = 6;
/** How much what begins like a word, or nearly is it, counts beside the word itself (the defaults of MiniSearch). */
const beginningWeight = 0.375;
const nearMissWeight = 0.45;

/**
 * What is looked for. The last word may not be written to its end, unless something follows it, be it a space: it counts as
 * a beginning as well. A word that is in no
 * lecture may be misspelt, by its writer or by the recogniser: then terms that differ in a letter (two from eight letters
 * on) count for it.
 */
export function toQueryTerms(query: string, words: SearchWords, dictionary: Dictionary): QueryTerm[] {
  const asked = new Map(words.wordsOf(query).map((word) => [word.term, word]));
  const list = [...asked.values()].slice(0, maxQueryWords);
  const isOpen = /[\p{L}\p{M}\p{N}]$/u.test(query);
  const last = query.length;
  let misspelt = 0;
  return list.map(({ term, lower, to }) => {
    const found = new Map<string, { number: number; weight: number }>();
    const own = dictionary.find(term);
    if (own !== undefined) found.set(term, { number: own, weight: 1 });
    if (isOpen && to === last && lower.length >= 2) {
      for (const beginning of dictionary.startingWith(lower, maxBeginnings)) {
        const weight = (beginningWeight * beginning.term.length) / (beginning.term.length + 0.3 * beginning.distance);
        if (!found.has(beginning.term)) found.set(beginning.term, { number: beginning.number, weight });
      }
    }
    if (found.size === 0 && term.length >= 4 && !/^\p{N}/u.test(term) && misspelt++ < maxMisspelt) {
      const distance = term.length >= 8 ? 2 : 1;
      for (const near of dictionary.near(term, distance, maxNearMisses)) {
        const weight = (nearMissWeight * term.length) / (term.length + near.distance);
        found.set(near.term, { number: near.number, weight });
      }
    }
    return { terms: [...found].map(([name, rest]) => ({ term: name, ...rest })) };
  });
}
