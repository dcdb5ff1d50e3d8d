import { passagesArtifactSchema } from '@studymate/contracts/artifacts';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { attemptOf } from '@studymate/queue/next-jobs';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { attemptPrefix, embeddingsKey, passagesKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { unlessDamaged } from './unless-damaged.ts';

/**
 * Removes what earlier attempts of stages have made, which nothing refers to once a later one has settled, also where that has
 * found nothing to do. An attempt that failed or was cancelled leaves the ones before it alone.
 */
export async function dropEarlierAttempts(blobs: BlobStore, record: LectureRecord): Promise<void> {
  for (const stage of stageNames) {
    const settled = record.artifacts[stage]?.attempt ?? (record.skipped[stage] ? attemptOf(record, stage) : 1);
    for (let attempt = settled - 1; attempt >= 1; attempt--) {
      await blobs.deletePrefix(attemptPrefix(record.id, stage, attempt));
    }
  }
}

/**
 * Removes the cut sound of the record's attempt and those before it. It is as large as the recording itself and serves
 * nothing once the words are there or nobody wants them any more. A later attempt, which a retry has begun meanwhile,
 * keeps its own.
 */
export async function dropSamples(blobs: BlobStore, record: LectureRecord): Promise<void> {
  for (let attempt = attemptOf(record, 'ingest'); attempt >= 1; attempt--) {
    const keys = await blobs.list(attemptPrefix(record.id, 'ingest', attempt));
    for (const key of keys) if (key.endsWith('.pcm')) await blobs.delete(key);
  }
}

/**
 * Removes embeddings of earlier versions of the text, which have some 1 MB for each hour of the lecture. Those of the search
 * index stay: questions are held against its sentences.
 */
export async function dropEarlierEmbeddings(
  deps: { blobs: BlobStore; artifacts: ArtifactReader; lectures: Pick<LectureStore, 'read'> },
  record: LectureRecord,
): Promise<void> {
  const { assemble, chapters } = record.artifacts;
  if (!assemble || !chapters) return;
  const keys = await deps.blobs.list(attemptPrefix(record.id, 'assemble', assemble.attempt));
  const found = keys.filter((key) => key.endsWith('.f32'));
  if (found.length < 2) return;
  const key = passagesKey(record.id, chapters.attempt);
  const passages = await unlessDamaged(deps.artifacts.readArtifact(key, passagesArtifactSchema));
  // A retry that has begun meanwhile may have made new ones.
  if (!passages || (await deps.lectures.read(record.id))?.version !== record.version) return;
  const used = embeddingsKey(record.id, assemble.attempt, passages.content.inputHash);
  for (const each of found) if (each !== used) await deps.blobs.delete(each);
}
