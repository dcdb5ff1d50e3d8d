import type { Summary } from '@studymate/contracts/study';
import { dot, type Embeddings, rowAt } from '../embeddings.ts';
import type { TimedSentence } from '../sentences.ts';
import type { CitedSentence } from './cited-text.ts';
import { isSupported, measureSupport } from './statement-support.ts';

/** Sentences `from` to `to`, exclusive. */
export interface SentenceSpan {
  from: number;
  to: number;
}

/** What usual models read at once, their instructions included; about 25 minutes of speech. */
const partCharacters = 20_000;

/** Cuts a transcript into parts that a language model can read, of about equal length. */
export function cutForReading(sentences: readonly TimedSentence[]): SentenceSpan[] {
  const total = sentences.reduce((sum, { text }) => sum + text.length + 1, 0);
  const wanted = total / Math.ceil(total / partCharacters);
  const spans: SentenceSpan[] = [];
  let from = 0;
  let characters = 0;
  sentences.forEach(({ text }, i) => {
    characters += text.length + 1;
    if (characters < wanted && i + 1 < sentences.length) return;
    spans.push({ from, to: i + 1 });
    from = i + 1;
    characters = 0;
  });
  return spans;
}

/** The sentences of a part, each on a line behind its number, from 1 for the first of the lecture. */
export function toNumberedText(sentences: readonly TimedSentence[], { from, to }: SentenceSpan): string {
  return sentences
    .slice(from, to)
    .map(({ text }, i) => `[${from + i + 1}] ${text}`)
    .join('\n');
}

/** Two statements as near as this say the same. */
const sameCosine = 0.9;

/**
 * Of what a language model has written, the statements that the transcript says, each with the moment of the sentence that is
 * likest to it: among those that it names and their neighbours, or wherever it stands.
 * @param params.written with the numbers of sentences, from 1
 * @param params.vectors one row a statement
 * @param params.embeddings one row a sentence, of the same model
 */
export function findSupported(params: {
  written: readonly CitedSentence[];
  vectors: Embeddings;
  sentences: readonly TimedSentence[];
  embeddings: Embeddings;
  language: string | null;
}): Summary['statements'] {
  const { written, vectors, sentences, embeddings, language } = params;
  const taken: { row: number; statement: Summary['statements'][number] }[] = [];
  const isTold = (row: number) =>
    taken.some((other) => dot(rowAt(vectors, row), rowAt(vectors, other.row)) >= sameCosine);
  for (const [row, { text, cited }] of written.entries()) {
    const vector = rowAt(vectors, row);
    const find = (places: readonly number[]): number | null => {
      const around = withNeighbours(places, sentences.length);
      const parts = around.map((place) => rowAt(embeddings, place));
      const flat = new Float32Array(parts.length * vector.length);
      parts.forEach((part, i) => {
        flat.set(part, i * vector.length);
      });
      const source = { text: around.map((place) => sentences[place]?.text ?? '').join(' '), vectors: flat };
      const support = measureSupport({ text, vector }, source, { language });
      return isSupported(support) && support.meaning ? (around[support.meaning.sentence] ?? null) : null;
    };
    const named = cited.map((number) => number - 1).filter((place) => place >= 0 && place < sentences.length);
    const place = (named.length > 0 ? find(named) : null) ?? find([likestRow(vector, embeddings)]);
    const sentence = place === null ? undefined : sentences[place];
    if (!sentence || isTold(row)) continue;
    taken.push({ row, statement: { text, start: sentence.start, end: sentence.end } });
  }
  return taken.map(({ statement }) => statement).sort((a, b) => a.start - b.start);
}

function withNeighbours(places: readonly number[], count: number): number[] {
  const all = new Set(places.flatMap((place) => [place - 1, place, place + 1]));
  return [...all].filter((place) => place >= 0 && place < count).sort((a, b) => a - b);
}

function likestRow(vector: Float32Array, embeddings: Embeddings): number {
  let best = 0;
  let bestCosine = Number.NEGATIVE_INFINITY;
  for (let row = 0; (row + 1) * embeddings.dimensions <= embeddings.vectors.length; row++) {
    const cosine = dot(vector, rowAt(embeddings, row));
    if (cosine > bestCosine) {
      best = row;
      bestCosine = cosine;
    }
  }
  return best;
}
