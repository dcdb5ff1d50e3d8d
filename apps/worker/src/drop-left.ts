import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { attemptOf } from '@studymate/queue/next-jobs';
import type { BlobStore } from '@studymate/storage/blob-store';
import { attemptPrefix } from '@studymate/storage/lecture-keys';

/**
 * Removes what earlier attempts of stages have made, which nothing refers to once a later one has settled. An attempt that
 * failed or was cancelled leaves the ones before it alone.
 */
export async function dropEarlierAttempts(blobs: BlobStore, record: LectureRecord): Promise<void> {
  for (const stage of stageNames) {
    const settled = record.artifacts[stage]?.attempt ?? 1;
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
