import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  isAnswered as isAnsweredBy,
  likestSentence,
  toAnswerConfidence,
  toCoverage,
  toQuestionWords,
} from '@studymate/study/search/answer-confidence';
import { createDictionary } from '@studymate/study/search/dictionary';
import { parseIndexBytes } from '@studymate/study/search/index-bytes';
import { makeSearchIndex } from '@studymate/study/search/make-search-index';
import { createCosine, quantise } from '@studymate/study/search/quantised-vectors';
import { toQueryTerms } from '@studymate/study/search/query-terms';
import { fuseByRank } from '@studymate/study/search/rank';
import { locateQuery, searchKeywords, searchVectors } from '@studymate/study/search/search-shards';
import { createSearchWords } from '@studymate/study/search/search-words';
import { toShard } from '@studymate/study/search/shard';
import { splitSentences } from '@studymate/study/sentences';
import { expect, test } from 'vitest';
import { createTextRuntime } from '../src/model-process/text-runtime.ts';

const rootDir = new URL('../../../', import.meta.url);
const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ');

test('questions about the sample lecture: the passage that answers is found, and others are said not to be answered', async () => {
  const questions = JSON.parse(await readFile(new URL('bench/study/questions.json', rootDir), 'utf8')) as {
    printing: { question: string; answer: string[] }[];
  };
  const sample = await readFile(new URL('samples/history-of-printing.txt', rootDir), 'utf8');
  const sentences = splitSentences(sample).map((text, i) => {
    const start = i * 8;
    return { text, start, end: start + 7.5, pauseBefore: 0.5, confidence: 0.9, flagged: false };
  });
  const runtime = await createTextRuntime({
    modelDirs: { text: fileURLToPath(new URL('models/all-MiniLM-L6-v2', rootDir)) },
    threads: 2,
  });
  const embeddings = await runtime.run('embed', { texts: sentences.map(({ text }) => text) });
  const asked = await runtime.run('embed', { texts: questions.printing.map(({ question }) => question) });
  await runtime.close();
  const made = makeSearchIndex({ sentences, embeddings, chapters: [], language: 'en', weights: 'w' });
  const dictionary = createDictionary();
  const { keywords, vectors } = parseIndexBytes(made.index);
  const shards = [toShard(keywords, vectors, dictionary)];
  const words = createSearchWords('en');
  const breathe = () => undefined;
  const { dimensions } = embeddings;

  const tally = { first: 0, answered: 0, refused: 0, wronglyAnswered: 0 };
  for (const [i, { question, answer }] of questions.printing.entries()) {
    const floats = asked.vectors.subarray(i * dimensions, (i + 1) * dimensions);
    const vector = quantise({ dimensions, vectors: floats });
    const query = await locateQuery(shards, toQueryTerms(`${question} `, words, dictionary), breathe);
    const hits = fuseByRank([
      await searchKeywords(shards, query, 24, breathe),
      await searchVectors(shards, vector, { limit: 24, floor: 0.2 }, breathe),
    ]);
    const cosineOf = createCosine(vector);
    const judged = hits.flatMap(({ row }) => {
      const passage = made.passages[row];
      if (!passage) return [];
      const { firstSentence, sentenceCount, text } = passage;
      const own = embeddings.vectors.subarray(firstSentence * dimensions, (firstSentence + sentenceCount) * dimensions);
      const meaning = { sentence: likestSentence(floats, own), passage: cosineOf(vectors, row) };
      const coverage = toCoverage(text, toQuestionWords(query), words);
      return [{ text, score: toAnswerConfidence({ meaning, coverage }) }];
    });
    const [best] = judged.sort((a, b) => b.score - a.score);
    const isAnswered = best !== undefined && isAnsweredBy(best.score, true);
    if (answer.length === 0) tally[isAnswered ? 'wronglyAnswered' : 'refused']++;
    else if (isAnswered) tally.answered++;
    if (best && answer.some((phrase) => plain(best.text).includes(phrase))) tally.first++;
  }
  // Of 21 that it answers and 15 that it does not (bench/study/README.md has the figures); one less of each is let pass.
  expect(tally.first).toBeGreaterThanOrEqual(18);
  expect(tally.answered).toBeGreaterThanOrEqual(14);
  expect(tally.refused).toBeGreaterThanOrEqual(12);
});
