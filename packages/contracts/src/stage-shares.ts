import type { StageName } from './stages.ts';

/**
 * How much of the whole work each stage is, together 1: for overall progress and the estimate of what is left.
 * Measured on an hour of speech with whisper-base on two cores, rounded. In a file of its own, without schemas, because
 * the page uses it too.
 */
export const stageShares: Readonly<Record<StageName, number>> = {
  ingest: 0.12,
  transcribe: 0.8,
  assemble: 0.01,
  chapters: 0.03,
  topics: 0.02,
  summary: 0.01,
  flashcards: 0.01,
};
