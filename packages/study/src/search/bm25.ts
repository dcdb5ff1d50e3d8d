/**
 * BM25 (Robertson and Zaragoza, "The probabilistic relevance framework", 2009) with the usual constants. The logarithm is
 * Lucene's, which is positive for every term.
 */
const saturation = 1.2;
const lengthShare = 0.75;

/** @param documents how many there are, and in how many of them the term stands */
export function toRarity(documents: number, having: number): number {
  return Math.log(1 + (documents - having + 0.5) / (having + 0.5));
}

/** What the length of a passage, in words, makes of the counts of its words. @param meanLength of all passages */
export function toLengthNorm(length: number, meanLength: number): number {
  const relative = meanLength > 0 ? length / meanLength : 1;
  return saturation * (1 - lengthShare + lengthShare * relative);
}

export function toTermScore(rarity: number, count: number, lengthNorm: number): number {
  return (rarity * count * (saturation + 1)) / (count + lengthNorm);
}
