import type { ConversationTurn } from '@studymate/contracts/conversation';
import { createId } from '@studymate/contracts/ids';
import type { AnswerStatement, AskResponse, askRequestSchema, Moment } from '@studymate/contracts/search';
import { attemptOf } from '@studymate/queue/next-jobs';
import { embeddingsKey } from '@studymate/storage/lecture-keys';
import {
  type AnswerSignals,
  isAnswered,
  likestSentence,
  type QuestionWord,
  toAnswerConfidence,
  toCoverage,
  toQuestionWords,
} from '@studymate/study/search/answer-confidence';
import { createCosine } from '@studymate/study/search/quantised-vectors';
import type { SearchWords } from '@studymate/study/search/search-words';
import type { z } from 'zod';
import type { AnswerSource, AnswerWriter } from './answer-writer.ts';
import { createBreathe } from './breathe.ts';
import { leansOnLast } from './leans-on-last.ts';
import type { Described } from './moments.ts';
import type { QueryVector } from './query-vectors.ts';
import { findByMeaning, findByWords, type Scope, toFound } from './scope.ts';
import { openScope, readReadable, type SearchContext } from './search-context.ts';

/** A question is worth waiting for a model that is being loaded. */
const patienceMs = 5_000;
/** So many passages are looked at closely. */
const candidates = 24;
/** Of an answered question, what is at least this likely to answer it as well is shown, too. */
const leastShown = 0.1;

/** A question that leans on the one before is understood by that one, and so on, up to so many characters. */
const mostUnderstood = 500;

/** What was found for a question, and what a language model may say of it. */
export interface Asked {
  /** Without what a language model says. */
  found: AskResponse;
  /** Statements as they are written and found true; none where nobody writes, or nothing answers the question. */
  write(): AsyncGenerator<AnswerStatement>;
}

/** A passage with how likely it answers the question, and what statements about it are held against. */
interface Judged {
  moment: Moment;
  /** Whether it was judged by more than its words. */
  hasMeaning: boolean;
  source: AnswerSource;
}

/**
 * The passages that answer a question. Those that search finds first are looked at again: how near their likest sentence is to
 * the question, how near the whole, and how much of the question's words stands in them. Nothing is made up: where none is
 * likely enough to answer, there are none.
 */
export async function ask(
  context: SearchContext,
  writer: AnswerWriter | null,
  owner: string,
  request: z.output<typeof askRequestSchema>,
  signal: AbortSignal,
): Promise<Asked> {
  const { question, lectureId, courseId, conversationId, limit } = request;
  if (lectureId !== undefined) await readReadable(context, owner, lectureId);
  const { conversations } = context.services;
  const mayLean = conversationId !== undefined && leansOnLast(question);
  const last = mayLean ? await conversations.readLast(owner, conversationId).catch(() => null) : null;
  const whole = last === null ? question : `${last.understoodAs} ${question}`;
  const [scope, vector] = await Promise.all([
    context.limited(() => openScope(context, owner, { lectureId, courseId })),
    context.vectors.embed(whole, { owner, timeoutMs: patienceMs, signal }),
  ]);
  const judged = await context.limited(() => findAndJudge(context, { owner, courseId, whole, scope, vector }));
  const answerable = judged[0] !== undefined && isAnswered(judged[0].moment.score, judged[0].hasMeaning);
  const shown = answerable
    ? judged.filter(({ moment }, i) => i === 0 || moment.score >= leastShown).slice(0, limit)
    : [];
  const found: AskResponse = {
    answerable,
    passages: shown.map(({ moment }) => moment),
    mode: vector ? 'hybrid' : 'keyword',
    conversationId: conversationId ?? createId(),
    lectures: scope.lectures,
  };
  const turn: ConversationTurn = {
    question,
    understoodAs: whole.slice(-mostUnderstood),
    answerable,
    passages: found.passages.map(({ lectureId: id, startSeconds, endSeconds }) => ({
      lectureId: id,
      startSeconds,
      endSeconds,
    })),
    askedAt: new Date().toISOString(),
  };
  // An answer that cannot be remembered is one all the same.
  await conversations.add(owner, found.conversationId, turn).catch((error) => {
    context.logger.warn({ err: error }, 'a question could not be remembered');
  });
  return {
    found,
    async *write() {
      if (!writer || shown.length === 0) return;
      yield* writer.write({ owner, question: whole, sources: shown.map(({ source }) => source) }, signal);
    },
  };
}

/** @returns the passages that may answer, the likeliest first */
async function findAndJudge(
  context: SearchContext,
  asking: {
    owner: string;
    courseId: string | undefined;
    whole: string;
    scope: Scope;
    vector: QueryVector | null;
  },
): Promise<Judged[]> {
  const { owner, courseId, whole, scope, vector } = asking;
  const breathe = createBreathe();
  // A question is written to its end: its last word is no beginning.
  const { hits, asked } = await findByWords(scope, `${whole} `, breathe);
  const lists = vector ? [hits, await findByMeaning(scope, vector, breathe)] : [hits];
  const found = toFound(scope, lists).slice(0, candidates);
  const described = await context.moments.describe(found, { owner, courseId, limit: candidates });
  const questions = new Map(
    [...asked].map(([language, { words, located }]) => [
      language,
      { words, question: located ? toQuestionWords(located) : [] },
    ]),
  );
  const judged = await Promise.all(
    described.map((each) => judge(context, each, questions.get(each.found.part.language), vector)),
  );
  return judged.sort((a, b) => b.moment.score - a.moment.score);
}

async function judge(
  context: SearchContext,
  each: Described,
  asked: { words: SearchWords; question: readonly QuestionWord[] } | undefined,
  vector: QueryVector | null,
): Promise<Judged> {
  const { moment, found } = each;
  const { shard, weights, language } = found.part;
  const coverage = asked ? toCoverage(moment.text, asked.question, asked.words) : 0;
  const toJudged = (signals: AnswerSignals, vectors: Float32Array | null): Judged => ({
    moment: { ...moment, score: Math.round(toAnswerConfidence(signals) * 1e4) / 1e4 },
    hasMeaning: signals.meaning !== null,
    source: { text: moment.text, vectors, language, weights },
  });
  if (!vector || !shard.vectors || weights !== vector.weights) return toJudged({ meaning: null, coverage }, null);
  const passage = createCosine(vector.vector)(shard.vectors, found.row);
  const sentences = await readSentenceVectors(context, each, vector.floats.length);
  const sentence = sentences ? likestSentence(vector.floats, sentences) : passage;
  return toJudged({ meaning: { sentence, passage }, coverage }, sentences);
}

/** Of the passage's sentences, from the embeddings that its lecture's study parts were made of; null when they are gone. */
async function readSentenceVectors(
  { services }: SearchContext,
  { record, passage, inputHash }: Described,
  dimensions: number,
): Promise<Float32Array | null> {
  if (inputHash === null) return null;
  const key = embeddingsKey(record.id, attemptOf(record, 'assemble'), inputHash);
  const bytesEach = dimensions * Float32Array.BYTES_PER_ELEMENT;
  const start = passage.firstSentence * bytesEach;
  const wanted = passage.sentenceCount * bytesEach;
  try {
    const parts: Uint8Array[] = [];
    for await (const part of services.blobs.stream(key, { start, end: start + wanted - 1 })) parts.push(part);
    const bytes = Buffer.concat(parts);
    if (bytes.length !== wanted) return null;
    return new Float32Array(new Uint8Array(bytes).buffer);
  } catch {
    return null;
  }
}
