/**
 * How much the words of a sentence, and of the one before, speak for a chapter that begins with it: log odds, fitted by
 * logistic regression on half of the MIT lectures (408 chapters in all; the other half has nearly the same odds) and rounded.
 * Where nothing speaks for or against it the score is 0.
 */
const amongFirst: readonly (readonly [words: string, weight: number])[] = [
  ['talk talking discuss', 1.5],
  ['idea notion concept', 1.4],
  ["let let's", 1.3],
  ['something', 1.15],
  ['now', 1],
  ['called', 0.95],
  ['want wanted', 0.9],
  ['introduce turn move moving return start begin', 0.6],
  ['write', 0.6],
  ['another', 0.5],
  ['about example look going gonna', 0.3],
  ['next today finally last', 0.2],
  ['here this these that', -0.35],
];
const veryFirst: readonly (readonly [words: string, weight: number])[] = [
  ['ok okay all alright', 0.8],
  ['suppose', 0.4],
  ['now so', 0.25],
  ['well', -0.35],
  ['but because or then', -0.9],
  ['and', -0.95],
  ["it it's that that's this they he she you which", -1],
];
const firstWords = 12;
const fewWords = 6;
const shortWeight = -0.45;
const manyWords = 25;
const longWeight = 0.4;
/** The sentence before closes something: "OK?", "All right.", "Any questions?" */
const closing = /\b(?:ok|okay|alright|all right|questions)\b/iu;
const closingWeight = 0.75;
const questionWeight = -0.8;

/** Other languages have only a list of first words; such a word counts as much as "OK" and "so" do together. */
const otherFirst = new Set('maintenant ensuite alors jetzt nun nächstens ahora bien الآن'.split(' '));
const otherWeight = 1;

function toTable(rows: readonly (readonly [words: string, weight: number])[]): ReadonlyMap<string, number> {
  return new Map(rows.flatMap(([words, weight]) => words.split(' ').map((word) => [word, weight] as const)));
}

/** @returns the score of each sentence; the first sentence of all begins a chapter anyway, and has 0 */
export function scoreCues(sentences: readonly string[], language: string): Float64Array {
  const among = toTable(amongFirst);
  const very = toTable(veryFirst);
  return Float64Array.from(sentences, (sentence, index) => {
    if (index === 0) return 0;
    const words =
      sentence
        .toLowerCase()
        .replaceAll('’', "'")
        .match(/[\p{L}']+/gu) ?? [];
    if (language !== 'en') return otherFirst.has(words[0] ?? '') ? otherWeight : 0;
    const before = sentences[index - 1] as string;
    let score = very.get(words[0] ?? '') ?? 0;
    for (const weight of new Set(words.slice(0, firstWords).flatMap((word) => among.get(word) ?? []))) score += weight;
    if (words.length < fewWords) score += shortWeight;
    if (words.length > manyWords) score += longWeight;
    if (closing.test(before)) score += closingWeight;
    if (/\?\s*$/u.test(before)) score += questionWeight;
    return score;
  });
}
