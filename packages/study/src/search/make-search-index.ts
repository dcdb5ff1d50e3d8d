import type { Chapter } from '@studymate/contracts/study';
import type { Embeddings } from '../embeddings.ts';
import { dot, rowAt } from '../embeddings.ts';
import type { TimedSentence } from '../sentences.ts';
import { type SearchIndex, toIndexBytes } from './index-bytes.ts';
import { buildKeywordIndex } from './keyword-index.ts';
import { cutPassages, type Passage } from './passages.ts';
import { quantise } from './quantised-vectors.ts';
import { createSearchWords } from './search-words.ts';

/**
 * What a lecture is searched by.
 * @param params.embeddings one row a sentence
 * @returns the passages, and the index as bytes, whose rows are theirs
 */
export function makeSearchIndex(params: {
  sentences: readonly TimedSentence[];
  embeddings: Embeddings;
  chapters: readonly Chapter[];
  language: string;
  weights: string;
}): { passages: Passage[]; index: Uint8Array } {
  const { sentences, embeddings, chapters, language, weights } = params;
  const passages = cutPassages(
    sentences,
    chapters.map(({ start }) => start),
  );
  const index: SearchIndex = {
    language,
    weights,
    keywords: buildKeywordIndex(
      passages.map(({ text }) => text),
      createSearchWords(language),
    ),
    vectors: quantise(toPassageVectors(passages, embeddings)),
  };
  return { passages, index: toIndexBytes(index) };
}

/**
 * A passage is where its sentences are in the mean, a long one counting more than a short one: what is near any of them in
 * meaning is near it, and no text is embedded twice.
 */
export function toPassageVectors(passages: readonly Passage[], embeddings: Embeddings): Embeddings {
  const { dimensions } = embeddings;
  const vectors = new Float32Array(passages.length * dimensions);
  passages.forEach(({ firstSentence, sentenceCount }, row) => {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (let sentence = firstSentence; sentence < firstSentence + sentenceCount; sentence++) {
      const vector = rowAt(embeddings, sentence);
      for (let d = 0; d < vector.length; d++) own[d] = (own[d] as number) + (vector[d] as number);
    }
    const norm = Math.sqrt(dot(own, own));
    if (norm > 0) for (let d = 0; d < dimensions; d++) own[d] = (own[d] as number) / norm;
  });
  return { dimensions, vectors };
}
