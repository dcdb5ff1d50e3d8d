import { type Summary, type SummaryLength, summaryLengths } from '@studymate/contracts/study';
import { findBoundaries } from './chapters.ts';
import { findDefinitions, shownTerm } from './definitions.ts';
import type { Embeddings } from './embeddings.ts';
import { cosine, dot, meanRow, rowAt, rowCount } from './embeddings.ts';
import { createNounGuess, findPhrases } from './key-phrases.ts';
import { informativeness, thematicWeights } from './sentence-weights.ts';
import type { TimedSentence } from './sentences.ts';
import { selfContainment, tidyStatement } from './statement-text.ts';
import { createTerms } from './text-terms.ts';

/** How much a chosen sentence forbids others like it (maximal marginal relevance). */
const redundancyWeight = 0.5;

export interface SummariseInput {
  sentences: readonly string[];
  embeddings?: Embeddings | undefined;
  maxSentences?: number | undefined;
  /** How many sections the text is taken to have; as many as sentences are wanted when left out. */
  sectionCount?: number | undefined;
  /** Index of a sentence that is chosen already, as the first of them. */
  opening?: number | undefined;
  /** For each sentence how well it stands by itself, 0 to 1; computed from the text when left out. */
  quality?: ArrayLike<number> | undefined;
  language?: string | null | undefined;
}

/** Vectors of the sentences: the embeddings, or bags of words hashed to 256 places where there are none. */
function vectorsOf(input: SummariseInput): Embeddings {
  const { sentences, embeddings } = input;
  if (embeddings !== undefined && rowCount(embeddings) === sentences.length) return embeddings;
  const terms = createTerms({ language: input.language ?? null, texts: sentences });
  const dimensions = 256;
  const vectors = new Float32Array(sentences.length * dimensions);
  sentences.forEach((sentence, row) => {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (const stem of terms.contentStems(sentence)) {
      let hash = 2166136261;
      for (let index = 0; index < stem.length; index++) hash = Math.imul(hash ^ stem.charCodeAt(index), 16777619);
      const place = (hash >>> 0) % dimensions;
      own[place] = (own[place] as number) + 1;
    }
    const norm = Math.sqrt(dot(own, own));
    if (norm > 0) for (let d = 0; d < dimensions; d++) own[d] = (own[d] as number) / norm;
  });
  return { dimensions, vectors };
}

/**
 * Centrality after HipoRank (Dong, Mircea and Cheung 2021): likeness to the sentence's own section and to the whole,
 * with more weight for sentences near a section's edges; beside it how much of what the text speaks of again and again the
 * sentence has; times how well the sentence stands by itself.
 */
function scoreSentences(input: SummariseInput, vectors: Embeddings, sections: readonly number[]): Float64Array {
  const count = input.sentences.length;
  const scores = new Float64Array(count);
  const whole = meanRow(vectors);
  const terms = createTerms({ language: input.language ?? null, texts: input.sentences });
  const weight = informativeness(input.sentences, terms);
  const themes = thematicWeights(input.sentences, terms);
  sections.forEach((first, index) => {
    const end = sections[index + 1] ?? count;
    const rows = Array.from({ length: end - first }, (_, offset) => first + offset);
    const centre = meanRow(vectors, rows);
    for (const row of rows) {
      const own = Float64Array.from(rowAt(vectors, row));
      const toEdge = Math.min(row - first, end - 1 - row) / Math.max(1, (end - first) / 2);
      const opening = 1 + openingBonus * Math.exp(-row / (openingShare * count));
      const position = (1 - 0.25 * Math.min(1, toEdge)) * opening;
      const quality = input.quality?.[row] ?? selfContainment({ text: input.sentences[row] as string });
      scores[row] =
        (0.6 * cosine(own, centre) + 0.4 * cosine(own, whole) + themeWeight * (themes[row] as number)) *
        position *
        quality *
        (weight[row] as number);
    }
  });
  return scores;
}

/** What stands near the beginning often says what the whole is about (ROUGE-2 of the same .039 → .043). */
const openingBonus = 0.8;
const openingShare = 0.1;
/** Meetings with a summary by hand: ROUGE-1 of a summary of 90 words .231 → .270 (half of QMSum's validation part). */
const themeWeight = 4;

function defaultCount(sentenceCount: number): number {
  return Math.max(1, Math.min(12, Math.round(Math.sqrt(sentenceCount))));
}

/**
 * An extractive summary: the indexes of the chosen sentences, ascending. Sections are covered before a second sentence
 * is taken from one; sentences like a chosen one are avoided. Fewer than `maxSentences` come back only when the text
 * has fewer. Deterministic. `ranked` has the same in the order in which they were chosen: the first n of it are a summary
 * of n sentences.
 */
export function summarise(input: SummariseInput): { indexes: number[]; ranked: number[] } {
  const count = input.sentences.length;
  if (count === 0) return { indexes: [], ranked: [] };
  const wanted = Math.max(1, Math.min(input.maxSentences ?? defaultCount(count), count));
  const vectors = vectorsOf(input);
  const sections = findBoundaries({
    sentences: input.sentences,
    embeddings: input.embeddings,
    chapterCount: Math.max(1, Math.min(input.sectionCount ?? wanted, Math.floor(count / 3))),
    language: input.language,
  });
  const scores = scoreSentences(input, vectors, sections);
  const sectionOf = new Int32Array(count);
  let section = 0;
  for (let row = 0; row < count; row++) {
    if (sections[section + 1] === row) section++;
    sectionOf[row] = section;
  }
  const chosen: number[] = [];
  const perSection = new Int32Array(sections.length);
  const closest = new Float64Array(count);
  const choose = (row: number): void => {
    chosen.push(row);
    const place = sectionOf[row] as number;
    perSection[place] = (perSection[place] as number) + 1;
    const picked = rowAt(vectors, row);
    for (let other = 0; other < count; other++) {
      closest[other] = Math.max(closest[other] as number, dot(rowAt(vectors, other), picked));
    }
  };
  if (input.opening !== undefined && input.opening < count) {
    scores.fill(Number.NaN, 0, input.opening);
    choose(input.opening);
  }
  while (chosen.length < wanted) {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < count; row++) {
      if (Number.isNaN(scores[row] as number) || chosen.includes(row)) continue;
      const crowded = 0.75 ** (perSection[sectionOf[row] as number] as number);
      const score =
        (scores[row] as number) * crowded - redundancyWeight * (closest[row] as number) * (scores[row] as number);
      if (score > bestScore) {
        bestScore = score;
        best = row;
      }
    }
    if (best < 0) break;
    choose(best);
  }
  return { indexes: [...chosen].sort((a, b) => a - b), ranked: chosen };
}

/** About one statement a minute at first, twelve for an hour. */
function statementCount(durationSeconds: number): number {
  const minutes = durationSeconds / 60;
  return Math.max(2, Math.min(20, Math.round(minutes <= 10 ? 1 + minutes : 8 + minutes / 15)));
}

/** Of the medium summary's statements a short one has this share, and a long one so many times as many. */
const lengthFactors: Record<SummaryLength, number> = { short: 0.4, medium: 1, long: 2 };

/** No more than this share of the sentences, or of few as many as `leastCounts`: a longer one is no summary. */
const mostShares: Record<SummaryLength, number> = { short: 0.15, medium: 0.3, long: 0.45 };
const leastCounts: Record<SummaryLength, number> = { short: 1, medium: 2, long: 3 };

const maxKeyTerms = 20;

/**
 * The summary of a lecture: statements and key terms that were said, each with its moment. No text is invented;
 * see statement-text.ts for what is tidied. Each statement says which is the shortest summary that has it.
 */
export function makeSummary(params: {
  sentences: readonly TimedSentence[];
  embeddings?: Embeddings | undefined;
  language?: string | null | undefined;
}): Summary {
  const { sentences } = params;
  const last = sentences.at(-1);
  if (last === undefined) return { method: 'extractive', statements: [], keyTerms: [] };
  const texts = sentences.map((sentence) => sentence.text);
  const quality = sentences.map((sentence) => selfContainment(sentence));
  const countOf = (length: SummaryLength): number => {
    const wanted = Math.round(statementCount(last.end) * lengthFactors[length]);
    return Math.max(leastCounts[length], Math.min(wanted, Math.floor(texts.length * mostShares[length])));
  };
  const { ranked } = summarise({
    sentences: texts,
    embeddings: params.embeddings,
    maxSentences: countOf('long'),
    sectionCount: countOf('medium'),
    quality,
    language: params.language,
  });
  // What does not stand by itself is worse than a shorter summary, unless there is nothing else.
  const good = ranked.filter((index) => (quality[index] as number) > 0.1);
  const statements = (good.length > 0 ? good : ranked)
    .map((index, rank) => {
      const { text, start, end } = sentences[index] as TimedSentence;
      const length = summaryLengths.find((each) => rank < countOf(each)) ?? 'long';
      return { index, statement: { text: tidyStatement(text), start, end, length } };
    })
    .sort((a, b) => a.index - b.index)
    .map(({ statement }) => statement);
  return { method: 'extractive', statements, keyTerms: findKeyTerms(sentences, params.language ?? null) };
}

function findKeyTerms(sentences: readonly TimedSentence[], language: string | null): Summary['keyTerms'] {
  const texts = sentences.map((sentence) => sentence.text);
  const terms = createTerms({ language, texts });
  const nouns = createNounGuess(terms.language);
  const frequency = new Map<string, number>();
  const barriers = sentences.map((sentence) => sentence.barriers);
  for (const phrase of findPhrases({ sentences: texts, barriers, terms, nouns }))
    frequency.set(phrase.key, phrase.sentences.length);
  const best = new Map<string, { term: string; definition: string; start: number; score: number }>();
  for (const { term, definition, sentence, strength } of findDefinitions({ sentences: texts, terms, nouns })) {
    const source = sentences[sentence] as TimedSentence;
    if (source.flagged || source.confidence < 0.6) continue;
    const key = terms.contentStems(term).join(' ');
    // A term that is spoken of again is a term of the lecture; one that is not may be chance.
    const score = strength * (1 + Math.log1p((frequency.get(key) ?? 1) - 1));
    const known = best.get(key);
    if (known === undefined || score > known.score) {
      best.set(key, { term: shownTerm(term), definition, start: source.start, score });
    }
  }
  return [...best.values()]
    .sort((a, b) => b.score - a.score || a.start - b.start)
    .slice(0, maxKeyTerms)
    .sort((a, b) => a.start - b.start)
    .map(({ term, definition, start }) => ({ term, definition, start }));
}
