import { dot } from '../embeddings.ts';
import { createTerms } from '../text-terms.ts';

/** What a statement is held against: a stretch of a lecture, and where its sentences lie in meaning. */
export interface SupportSource {
  text: string;
  /** Of its sentences, one after the other, each of length 1; null where they are not known. */
  vectors: Float32Array | null;
}

export interface Support {
  /** Cosine with the likest sentence, and the place of that; null without vectors. */
  meaning: { cosine: number; sentence: number } | null;
  /** Share of the statement's words that stand in the source, 0 to 1. */
  coverage: number;
  /** Whether every number of the statement stands there. */
  hasNumbers: boolean;
  /** Whether it denies only where the source does. */
  deniesAlike: boolean;
}

const number = /\d+(?:[.,]\d+)*/gu;
const denial =
  /\b(?:not|never|no|nobody|nothing|none|neither|nor|without|cannot|nicht|kein\w*|nie|ne|pas|jamais|nunca|mai|non)\b|n['’]t\b/iu;

const numbersOf = (text: string): string[] => (text.match(number) ?? []).map((found) => found.replaceAll(',', ''));

/**
 * How far a stretch of a lecture says what a statement says. What only the question says counts for nothing: it may be wrong.
 * @param statement.vector of length 1; null where it is not known
 */
export function measureSupport(
  statement: { text: string; vector: Float32Array | null },
  source: SupportSource,
  options: { language: string | null },
): Support {
  const terms = createTerms({ language: options.language });
  const said = new Set(terms.contentStems(source.text));
  const own = [...new Set(terms.contentStems(statement.text))];
  const numbers = new Set(numbersOf(source.text));
  return {
    meaning: statement.vector && source.vectors ? findLikest(statement.vector, source.vectors) : null,
    coverage: own.length > 0 ? own.filter((stem) => said.has(stem)).length / own.length : 0,
    hasNumbers: numbersOf(statement.text).every((each) => numbers.has(each)),
    deniesAlike: !denial.test(statement.text) || denial.test(source.text),
  };
}

function findLikest(own: Float32Array, vectors: Float32Array): Support['meaning'] {
  let best: Support['meaning'] = null;
  for (let sentence = 0; (sentence + 1) * own.length <= vectors.length; sentence++) {
    const cosine = dot(own, vectors.subarray(sentence * own.length, (sentence + 1) * own.length));
    if (!best || cosine > best.cosine) best = { cosine, sentence };
  }
  return best;
}

/** Chosen on sentences that people wrote about meetings, held against what was said: `bench/study/support.mjs`. */
const leastCosine = 0.45;
const leastCoverage = 0.4;
const leastCoverageAlone = 0.7;

/** Whether a stretch of a lecture says what a statement says, as far as such signs tell it; in doubt it does not. */
export function isSupported({ meaning, coverage, hasNumbers, deniesAlike }: Support): boolean {
  if (!hasNumbers || !deniesAlike) return false;
  return meaning ? meaning.cosine >= leastCosine && coverage >= leastCoverage : coverage >= leastCoverageAlone;
}
