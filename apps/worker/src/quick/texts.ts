import type {
  ChaptersRequest,
  ChaptersResponse,
  SummarizeRequest,
  SummarizeResponse,
  SummaryOpening,
  TopicsRequest,
} from '@studymate/contracts/requests';
import type { EmbedRequest, EmbedResponse } from '@studymate/contracts/search';
import type { TopicAssignments } from '@studymate/contracts/study';
import type { Embeddings } from '@studymate/study/embeddings';
import { splitSentences } from '@studymate/study/sentences';
import { priorities, runEmbed } from '../model-ops.ts';
import type { Models } from '../models.ts';
import type { StudyProcess } from '../study-process/study-process.ts';

export interface TextDeps {
  models: Models;
  /** One that no lecture uses: a short text does not wait for a long lecture's chapters. */
  quickStudyProcess: StudyProcess;
}

async function embed(models: Models, texts: string[], signal: AbortSignal): Promise<Embeddings> {
  const lease = await models.text.acquire(signal);
  try {
    return await runEmbed(lease, texts, { priority: priorities.quick, signal });
  } finally {
    lease.release();
  }
}

/** Where texts lie in meaning, and by whose weights: what was made by others cannot be compared with it. */
export async function embeddingsOf(
  { models }: TextDeps,
  { texts }: EmbedRequest,
  signal: AbortSignal,
): Promise<EmbedResponse> {
  const lease = await models.text.acquire(signal);
  try {
    const weights = await models.weightsName('text');
    const { dimensions, vectors } = await runEmbed(lease, texts, { priority: priorities.quick, signal });
    const rows = texts.map((_, row) => Array.from(vectors.subarray(row * dimensions, (row + 1) * dimensions)));
    return { weights, vectors: rows };
  } finally {
    lease.release();
  }
}

export async function topicsOf(deps: TextDeps, request: TopicsRequest, signal: AbortSignal): Promise<TopicAssignments> {
  const documents = request.documents.map((document) => (typeof document === 'string' ? document : document.text));
  const embeddings = await embed(deps.models, documents, signal);
  const { topicCount } = request;
  return deps.quickStudyProcess.run('topicsOfDocuments', { documents, embeddings, topicCount }, signal);
}

export async function chaptersOf(
  deps: TextDeps,
  request: ChaptersRequest,
  signal: AbortSignal,
): Promise<ChaptersResponse> {
  const embeddings = await embed(deps.models, request.sentences, signal);
  return deps.quickStudyProcess.run('chaptersOfSentences', { ...request, embeddings }, signal);
}

export async function summaryOf(
  deps: TextDeps,
  request: SummarizeRequest,
  signal: AbortSignal,
  opening?: number,
): Promise<SummarizeResponse> {
  const sentences = splitSentences(request.text);
  const embeddings = await embed(deps.models, sentences, signal);
  const { maxSentences } = request;
  return deps.quickStudyProcess.run('summaryOfSentences', { sentences, embeddings, maxSentences, opening }, signal);
}

/** @param beginning of a longer text: its last sentence may be cut off, and counts for nothing */
export async function openingOf(deps: TextDeps, beginning: string, signal: AbortSignal): Promise<SummaryOpening> {
  const sentences = splitSentences(beginning).slice(0, -1);
  if (sentences.length === 0) return null;
  const embeddings = await embed(deps.models, sentences, signal);
  const input = { sentences, embeddings, maxSentences: 1, opening: undefined };
  return (await deps.quickStudyProcess.run('summaryOfSentences', input, signal)).sentences[0] ?? null;
}
