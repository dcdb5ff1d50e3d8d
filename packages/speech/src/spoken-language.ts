export interface LanguageChoice {
  /** By window: the probability of each language, in the order of `codes`. */
  shares: readonly (readonly number[])[];
  /** By window: length of its sound. */
  seconds: readonly number[];
  /** What the user says it is; then nothing is chosen. */
  given: string | null;
  /** What the recording has been in so far. */
  expected: string | null;
  codes: readonly string[];
}

/**
 * A window is in another language than the rest only when the model is this sure. Sentences in each of eight languages
 * that were not expected reach .97 to 1 (docs/speech.md).
 */
const clearProbability = 0.9;
/** In less than this there may be no more than a name or a quotation. */
const clearSeconds = 3;

/**
 * The language of each window. Windows side by side vote for the language of all where none is expected, and a window
 * that clearly is in another one has that.
 */
export function chooseLanguages({ shares, seconds, given, expected, codes }: LanguageChoice): string[] {
  if (given !== null) return shares.map(() => given);
  const common = expected ?? (codes[likeliest(sum(shares))] as string);
  return shares.map((share, window) => {
    const own = likeliest(share);
    const isClear = (share[own] as number) >= clearProbability && (seconds[window] as number) >= clearSeconds;
    return isClear ? (codes[own] as string) : common;
  });
}

function sum(shares: readonly (readonly number[])[]): number[] {
  return (shares[0] ?? []).map((_, i) => shares.reduce((total, share) => total + (share[i] as number), 0));
}

function likeliest(share: readonly number[]): number {
  return share.indexOf(Math.max(...share));
}
