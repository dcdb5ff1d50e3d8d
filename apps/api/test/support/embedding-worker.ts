import { toPlainError } from '@studymate/contracts/errors';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import type { QuickResult } from '@studymate/queue/quick';
import { createRedis } from '@studymate/queue/redis';
import { Worker } from 'bullmq';
import { embedByWords, testWeights } from './searchable.ts';

export type EmbedTexts = (texts: string[]) => Promise<unknown>;

/** What a worker answers whose model is as `embedByWords`. */
export const embedTexts: EmbedTexts = async (texts) => {
  const { vectors, dimensions } = embedByWords(texts);
  const rows = texts.map((_, i) => Array.from(vectors.subarray(i * dimensions, (i + 1) * dimensions)));
  return { weights: testWeights, vectors: rows };
};

/** Stands for the worker at the other end of the real queue. @param answer asked anew for every job */
export function startEmbeddingWorker(options: { redisUrl: string; prefix: string; answer: EmbedTexts }) {
  const connection = createRedis({ url: options.redisUrl, kind: 'consumer', onError: () => {} });
  const worker = new Worker(
    'quick',
    async (job): Promise<QuickResult> => {
      const data = job.data as QuickJobData;
      try {
        return { ok: true, value: await options.answer(data.kind === 'embed' ? data.request.texts : []) };
      } catch (error) {
        return { ok: false, error: toPlainError(error) };
      }
    },
    { connection, prefix: options.prefix },
  );
  return {
    async close() {
      await worker.close();
      connection.disconnect();
    },
  };
}
