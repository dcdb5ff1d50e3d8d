/**
 * Whether one to twelve words come again and again without a break.
 * @param words in one spelling: "No," and "no" are different
 * @param leastWords that the whole round must have; it is said four times at least
 */
export function hasLoop(words: readonly string[], leastWords = 8): boolean {
  for (let period = 1; period <= 12 && period * 4 <= words.length; period++) {
    let same = 0;
    for (let i = period; i < words.length; i++) {
      same = words[i] === words[i - period] ? same + 1 : 0;
      if (same + period >= Math.max(leastWords, period * 4)) return true;
    }
  }
  return false;
}

/** The words of a text for `hasLoop`; "ha-ha-ha-ha" is one word, and a loop all the same. */
export function toLoopWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[\s-]+/u)
    .map((word) => word.replace(/[^\p{L}\p{M}\p{N}]/gu, ''))
    .filter((word) => word !== '');
}
