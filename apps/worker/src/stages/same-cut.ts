import { isDeepStrictEqual } from 'node:util';
import { type Chunk, chunkSchema, type IngestManifest, ingestManifestSchema } from '@studymate/contracts/artifacts';
import { chunkKey, chunkSamplesKey, ingestManifestKey } from '@studymate/storage/lecture-keys';
import type { StageContext, StageDeps } from '../stage-context.ts';

/**
 * What an earlier run of the job left of a cut is not what this one has cut: another program or another worker's version
 * decoded it, or another lecture's chunks were taken over. Two cuts of one recording must never be mixed.
 */
export class CutDiffers extends Error {}

type Reading = Pick<StageDeps, 'artifacts'>;

/** Keeps a chunk's sound and its description. @throws CutDiffers when another one is kept under its number */
export async function keepChunk(deps: Reading, context: StageContext, chunk: Chunk, sound: Int16Array): Promise<void> {
  const { record, attempt, write } = context;
  const key = chunkSamplesKey(record.id, attempt, chunk.index);
  // The sound first: a chunk counts as cut once its description is there.
  if (!(await write.createSamples(key, sound))) {
    const kept = await deps.artifacts.readSamples(key);
    if (!kept || Buffer.compare(toBytes(kept), toBytes(sound)) !== 0) throw new CutDiffers(key);
  }
  await keepDescription(deps, context, chunk);
}

/** @throws CutDiffers when another description is kept under the chunk's number */
export async function keepDescription(deps: Reading, context: StageContext, chunk: Chunk): Promise<void> {
  const key = chunkKey(context.record.id, context.attempt, chunk.index);
  if (await context.write.createArtifact(key, chunk)) return;
  if (!isDeepStrictEqual(await deps.artifacts.readArtifact(key, chunkSchema), chunk)) throw new CutDiffers(key);
}

/**
 * Keeps the manifest of a whole cut.
 * @throws CutDiffers when another number of chunks is kept, or was cut before
 */
export async function keepManifest(
  deps: Reading & Pick<StageDeps, 'lectures'>,
  context: StageContext,
  manifest: IngestManifest,
): Promise<void> {
  const { record, attempt, write } = context;
  const { cutChunks } = await deps.lectures.readIndex({ ...record, attempts: { ...record.attempts, ingest: attempt } });
  if (cutChunks.length !== manifest.chunkCount) throw new CutDiffers(`${cutChunks.length} chunks`);
  const key = ingestManifestKey(record.id, attempt);
  if (await write.createArtifact(key, manifest)) return;
  const kept = await deps.artifacts.readArtifact(key, ingestManifestSchema);
  if (kept?.chunkCount !== manifest.chunkCount) throw new CutDiffers(key);
}

function toBytes(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
