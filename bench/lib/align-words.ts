/** Where one text has a word that the other has not; places count words of the hypothesis. */
export interface WordDifference {
  kind: 'substitution' | 'deletion' | 'insertion';
  /** The hypothesis's word; for a deletion the one that stands before it, -1 at the front. */
  place: number;
}

/** A shortest way from the reference to the hypothesis (Levenshtein over words), in order. */
export function alignWords(reference: readonly string[], hypothesis: readonly string[]): WordDifference[] {
  const width = hypothesis.length + 1;
  const costs = new Uint32Array((reference.length + 1) * width);
  const cost = (i: number, j: number): number => costs[i * width + j] as number;
  const isSame = (i: number, j: number): boolean => reference[i - 1] === hypothesis[j - 1];
  for (let j = 0; j < width; j++) costs[j] = j;
  for (let i = 1; i <= reference.length; i++) {
    costs[i * width] = i;
    for (let j = 1; j < width; j++) {
      const diagonal = cost(i - 1, j - 1) + (isSame(i, j) ? 0 : 1);
      costs[i * width + j] = Math.min(diagonal, cost(i - 1, j) + 1, cost(i, j - 1) + 1);
    }
  }
  const differences: WordDifference[] = [];
  let i = reference.length;
  let j = hypothesis.length;
  while (i > 0 || j > 0) {
    const isDiagonal = i > 0 && j > 0 && cost(i, j) === cost(i - 1, j - 1) + (isSame(i, j) ? 0 : 1);
    if (isDiagonal) {
      if (!isSame(i, j)) differences.push({ kind: 'substitution', place: j - 1 });
      i--;
      j--;
    } else if (i > 0 && cost(i, j) === cost(i - 1, j) + 1) {
      differences.push({ kind: 'deletion', place: j - 1 });
      i--;
    } else {
      differences.push({ kind: 'insertion', place: j - 1 });
      j--;
    }
  }
  return differences.reverse();
}
