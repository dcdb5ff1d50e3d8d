import { dot } from '../embeddings.ts';
import { toRarity } from './bm25.ts';
import type { LocatedQuery } from './search-shards.ts';
import type { SearchWords } from './search-words.ts';

/** What speaks for a passage as the answer to a question. */
export interface AnswerSignals {
  /** Cosines of the question with the passage's likest sentence and with the whole of it; null where there are no vectors. */
  meaning: { sentence: number; passage: number } | null;
  /** How much of the question's words the passage has, rare words counting more, 0 to 1. */
  coverage: number;
}

/** A word of the question: the terms that stand for it, and how rare it is in what is searched. */
export interface QuestionWord {
  terms: ReadonlySet<string>;
  rarity: number;
}

/**
 * In a short lecture no word is rare, and one that it does not have would count for all the others together: so words count as
 * in at least so many passages, which are about two hours.
 */
const fewestPassages = 200;

/** A word that stands nowhere is the rarest of all: what is asked about it is hardly answered. */
export function toQuestionWords({ words, passages }: LocatedQuery): QuestionWord[] {
  const among = Math.max(passages, fewestPassages);
  return words.map(({ terms }) => {
    const having = terms.reduce((sum, term) => sum + term.having, 0);
    return { terms: new Set(terms.map(({ term }) => term)), rarity: toRarity(among, Math.min(having, passages)) };
  });
}

export function toCoverage(text: string, question: readonly QuestionWord[], words: SearchWords): number {
  const own = new Set(words.wordsOf(text).map(({ term }) => term));
  let found = 0;
  let all = 0;
  for (const { terms, rarity } of question) {
    all += rarity;
    if ([...terms].some((term) => own.has(term))) found += rarity;
  }
  return all > 0 ? found / all : 0;
}

/** @param vectors of the passage's sentences, rows of the question's length */
export function likestSentence(question: Float32Array, vectors: Float32Array): number {
  let best = -1;
  for (let at = 0; at + question.length <= vectors.length; at += question.length) {
    best = Math.max(best, dot(question, vectors.subarray(at, at + question.length)));
  }
  return best;
}

/** Logistic regressions over the questions of bench/study/questions.json: `node bench/study/ask.mjs DATA --fit`. */
const withMeaning = { constant: -7.34, sentence: 5.68, passage: 1.24, coverage: 2.81 };
const byWordsAlone = { constant: -4.68, coverage: 4.75 };

/** The probability that the passage answers the question, as far as such signals tell it. */
export function toAnswerConfidence({ meaning, coverage }: AnswerSignals): number {
  const sum = meaning
    ? withMeaning.constant +
      withMeaning.sentence * meaning.sentence +
      withMeaning.passage * meaning.passage +
      withMeaning.coverage * coverage
    : byWordsAlone.constant + byWordsAlone.coverage * coverage;
  return 1 / (1 + Math.exp(-sum));
}

/** Below this nothing was found that answers the question. Words alone are mistaken more often. */
const answerableConfidence = { withMeaning: 0.08, byWordsAlone: 0.1 };

/** @param confidence of the likeliest passage */
export function isAnswered(confidence: number, hasMeaning: boolean): boolean {
  return confidence >= answerableConfidence[hasMeaning ? 'withMeaning' : 'byWordsAlone'];
}
