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
  /** Whether every number of the statement stands there, and every address: nobody shall follow one that was not said. */
  hasNumbers: boolean;
  /** Whether it denies only where the source does. */
  deniesAlike: boolean;
}

const number = /\d+(?:[.,]\d+)*/gu;
/** `\b` knows no other letters than ours: words end where no letter follows. */
const denial = new RegExp(
  String.raw`(?<![\p{L}\p{M}])(?:${[
    'not|never|no|nobody|nothing|none|neither|nor|without|cannot|nicht|kein\\p{L}*|nie|niemals|ohne|niet|geen|nooit|zonder',
    'ne|pas|jamais|sans|nunca|jamás|nadie|ning[uú]n\\p{L}*|não|nem|sem|mai|non|nessun\\p{L}*|senza|inte|ikke|aldrig|aldri|bez|nigdy',
    'не|нет|ни|никогда|без|ні|ніколи|ليس|ليست|لا|لم|لن|بدون',
  ].join('|')})(?![\p{L}\p{M}])|n['’]t(?!\p{L})|[不没沒無无未非]|ない|ません|ずに|않|아니|없`,
  'iu',
);
/** What a page may make a link or a picture of. */
const address = /(?:https?:\/\/|www\.)[^\s)\]>]*[^\s)\]>.,;:!?]|\]\([^)]*\)/giu;

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
    hasNumbers:
      numbersOf(statement.text).every((each) => numbers.has(each)) &&
      (statement.text.match(address) ?? []).every((each) => source.text.includes(each)),
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

/** Whether what a statement means is worth comparing; where not, the words alone have told that it is not said. */
export function maySupport({ coverage, hasNumbers, deniesAlike }: Support): boolean {
  return hasNumbers && deniesAlike && coverage >= leastCoverage;
}

/** Whether a stretch of a lecture says what a statement says, as far as such signs tell it; in doubt it does not. */
export function isSupported(support: Support): boolean {
  if (!maySupport(support)) return false;
  return support.meaning ? support.meaning.cosine >= leastCosine : support.coverage >= leastCoverageAlone;
}
