import type { TranscribedChunk } from '@studymate/contracts/artifacts';
import { ingestManifestKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { DoneChunks } from '../donors.ts';
import type { StageContext, StageDeps, StageOutcome } from '../stage-context.ts';
import { keepDescription, keepManifest } from './same-cut.ts';

const writesAtOnce = 8;

/** A chunk of another lecture as one of this: made now, by no model. */
export function toReusedChunk(chunk: TranscribedChunk): TranscribedChunk {
  const now = new Date().toISOString();
  return { ...chunk, startedAt: now, finishedAt: now, inferenceSeconds: 0, cold: false, reused: true };
}

/**
 * Takes over all chunks, cut and transcribed, of a lecture with the same recording and settings: then nothing has to be
 * decoded. Whoever asks for a stage to be done again gets it done again.
 * @returns null when no lecture has them all
 */
export async function reuseChunks(
  deps: StageDeps,
  context: StageContext,
  ingestAlgorithm: string,
): Promise<StageOutcome | null> {
  const { record, attempt } = context;
  if (attempt > 1) return null;
  const done = await deps.donors.findDoneChunks(record, {
    ingestAlgorithm,
    speechAlgorithm: await deps.models.speechAlgorithm(),
    maxMediaSeconds: deps.config.limits.maxMediaSeconds,
  });
  if (!done) return null;
  const { manifest, chunks } = done;
  for (let i = 0; i < chunks.length; i += writesAtOnce) {
    await Promise.all(chunks.slice(i, i + writesAtOnce).map((chunk) => writeChunk(deps, context, chunk)));
    context.reportProgress(i / chunks.length);
  }
  const key = ingestManifestKey(record.id, attempt);
  await keepManifest(deps, context, manifest);
  for (const { transcribed } of chunks) {
    await deps.events.publishChunk(record.id, attempt, transcribed.index, transcribed.segments.length);
  }
  const { durationSeconds, warnings } = manifest;
  const language = record.requestedLanguage ?? done.detectedLanguage;
  await deps.events.publish(record.id, { type: 'lecture', changes: { durationSeconds, warnings, language } });
  return {
    pins: { ingest: { key, algorithm: ingestAlgorithm, cold: null, reused: true } },
    reused: true,
    change: (current) => ({
      ...current,
      durationSeconds,
      warnings,
      detectedLanguage: current.detectedLanguage ?? done.detectedLanguage,
    }),
  };
}

/** The text first: a chunk that is cut and has none is queued for transcription by whoever looks. */
async function writeChunk(
  deps: StageDeps,
  context: StageContext,
  { cut, transcribed }: DoneChunks['chunks'][number],
): Promise<void> {
  const { record, attempt, write } = context;
  await write.createArtifact(transcribedChunkKey(record.id, attempt, cut.index), toReusedChunk(transcribed));
  await keepDescription(deps, context, cut);
}
