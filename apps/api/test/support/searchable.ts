import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Transcript } from '@studymate/contracts/transcript';
import { embeddingsKey, passagesKey, searchIndexKey } from '@studymate/storage/lecture-keys';
import { makeSearchIndex } from '@studymate/study/search/make-search-index';
import { toTimedSentences } from '@studymate/study/sentences';
import { finishLecture, makeLecture, makeSegment } from './made-lecture.ts';
import type { TestApi } from './test-api.ts';

export const testWeights = 'model#1a2b3c4d';
const dimensions = 64;

/** Stands for the model: texts that share words are near each other. */
export function embedByWords(texts: readonly string[]): { dimensions: number; vectors: Float32Array } {
  const vectors = new Float32Array(texts.length * dimensions);
  texts.forEach((text, row) => {
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
      let state = 2166136261;
      for (const letter of word) state = Math.imul(state ^ (letter.codePointAt(0) as number), 16777619);
      for (let d = 0; d < dimensions; d++) {
        state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + d;
        own[d] = (own[d] as number) + ((state >>> 0) / 2 ** 32 - 0.5);
      }
    }
    const norm = Math.hypot(...own);
    if (norm > 0) for (let d = 0; d < dimensions; d++) own[d] = (own[d] as number) / norm;
  });
  return { dimensions, vectors };
}

/** Each text is a segment of ten seconds. */
export function toTranscript(texts: readonly string[], language = 'en'): Transcript {
  const segments = texts.map((text, i) => {
    const segment = makeSegment(i, text);
    const words = segment.words.map((word, k, all) => {
      const step = 9 / all.length;
      return { ...word, start: i * 10 + k * step, end: i * 10 + (k + 1) * step };
    });
    return { ...segment, start: i * 10, end: i * 10 + 9, words };
  });
  return { language, text: texts.join(' '), segments };
}

/** A finished lecture as a worker leaves it, with its search index unless `isOld`. */
export async function makeSearchableLecture(
  t: TestApi,
  texts: readonly string[],
  changes: Partial<LectureRecord> & { isOld?: boolean; language?: string } = {},
): Promise<LectureRecord> {
  const { isOld, language = 'en', ...rest } = changes;
  const { id } = await makeLecture(t, rest);
  const transcript = toTranscript(texts, language);
  const end = texts.length * 10;
  const chapters = [
    { start: 0, end: end / 2, title: 'The beginning', level: 'general' as const },
    { start: end / 2, end, title: 'The rest', level: 'general' as const },
  ];
  if (!isOld) {
    const sentences = toTimedSentences(transcript);
    const embeddings = embedByWords(sentences.map(({ text }) => text));
    const made = makeSearchIndex({ sentences, embeddings, chapters, language, weights: testWeights });
    const content = { inputHash: 'ab', passages: made.passages };
    await t.artifacts.createArtifact(passagesKey(id, 1), { schemaVersion: 1, content });
    await t.artifacts.createBytes(searchIndexKey(id, 1), made.index);
    await t.artifacts.createFloats(embeddingsKey(id, 1, 'ab'), embeddings.vectors);
  }
  const parts = { topics: [], summary: { statements: [], keyTerms: [] }, flashcards: [] };
  return finishLecture(t, id, { assemble: transcript, chapters, ...parts });
}
