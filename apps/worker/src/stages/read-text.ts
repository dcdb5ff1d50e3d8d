import { chunkSchema, type TranscribedChunk, transcribedChunkSchema } from '@studymate/contracts/artifacts';
import { AppError, toAppError } from '@studymate/contracts/errors';
import { attemptOf } from '@studymate/queue/next-jobs';
import { chunkKey, chunkSamplesKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import type { StageContext, StageDeps } from '../stage-context.ts';

/**
 * The text of a chunk. One that is damaged is removed, so that it can be made again, as long as its sound is kept.
 * @returns null when there is none, or none any more
 * @throws AppError `artifact_lost` when it is damaged and cannot be made again; `newer_version`
 */
export async function readText(
  deps: Pick<StageDeps, 'artifacts'>,
  context: StageContext,
  index: number,
): Promise<TranscribedChunk | null> {
  const { record } = context;
  const key = transcribedChunkKey(record.id, attemptOf(record, 'transcribe'), index);
  try {
    return await deps.artifacts.readArtifact(key, transcribedChunkSchema);
  } catch (thrown) {
    const { code, retryable } = toAppError(thrown);
    if (code !== 'internal' || retryable) throw thrown;
    await assertSoundIsThere(deps, context, index);
    await context.discard(key);
    return null;
  }
}

/**
 * @throws AppError `artifact_lost` unless the chunk can be transcribed again: what it was transcribed of is there, and the
 *   lecture's text is not settled
 */
export async function assertSoundIsThere(
  deps: Pick<StageDeps, 'artifacts'>,
  { record }: Pick<StageContext, 'record'>,
  index: number,
): Promise<void> {
  const attempt = attemptOf(record, 'ingest');
  const isThere =
    record.artifacts.transcribe === undefined &&
    (await deps.artifacts.readArtifact(chunkKey(record.id, attempt, index), chunkSchema)) !== null &&
    (await deps.artifacts.readSamples(chunkSamplesKey(record.id, attempt, index))) !== null;
  if (isThere) return;
  throw new AppError(
    'artifact_lost',
    `The text of chunk ${index} is not in the store any more, or damaged there, and so is its sound. Have the stage transcribe done again.`,
  );
}
