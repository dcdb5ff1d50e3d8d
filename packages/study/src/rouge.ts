/** ROUGE (Lin 2004) as `rouge-score` counts it without stemming: lower case, runs of letters and digits. */
export interface RougeScore {
  precision: number;
  recall: number;
  f1: number;
}

function toTokens(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function toScore(both: number, candidate: number, reference: number): RougeScore {
  const precision = candidate > 0 ? both / candidate : 0;
  const recall = reference > 0 ? both / reference : 0;
  return { precision, recall, f1: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0 };
}

function countGrams(tokens: readonly string[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + size <= tokens.length; at++) {
    const gram = tokens.slice(at, at + size).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Runs of `size` words that both have. */
export function rougeN(candidate: string, reference: string, size: number): RougeScore {
  const [own, wanted] = [countGrams(toTokens(candidate), size), countGrams(toTokens(reference), size)];
  const total = (counts: Map<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
  let both = 0;
  for (const [gram, count] of wanted) both += Math.min(count, own.get(gram) ?? 0);
  return toScore(both, total(own), total(wanted));
}

/** The longest common subsequence of the words of both. */
export function rougeL(candidate: string, reference: string): RougeScore {
  const [own, wanted] = [toTokens(candidate), toTokens(reference)];
  let before = new Int32Array(wanted.length + 1);
  for (const token of own) {
    const now = new Int32Array(wanted.length + 1);
    for (let j = 1; j <= wanted.length; j++) {
      now[j] =
        token === wanted[j - 1] ? (before[j - 1] as number) + 1 : Math.max(before[j] as number, now[j - 1] as number);
    }
    before = now;
  }
  return toScore(before[wanted.length] as number, own.length, wanted.length);
}
