import { passagesArtifactSchema } from '@studymate/contracts/artifacts';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { attemptOf, studiedVersionOf } from '@studymate/queue/next-jobs';
import type { ArtifactReader } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { attemptPrefix, embeddingsKey, passagesKey } from '@studymate/storage/lecture-keys';
import type { LectureStore } from '@studymate/storage/lecture-store';
import type { StudyInputs } from './stages/study-inputs.ts';
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
 * index stay: questions are held against its sentences. So do those of the newest version, for the study parts that are still
 * to be made again.
 */
export async function dropEarlierEmbeddings(
  deps: {
    blobs: BlobStore;
    artifacts: ArtifactReader;
    lectures: Pick<LectureStore, 'read'>;
    studyInputs: Pick<StudyInputs, 'embeddingsKeyOf'>;
  },
  record: LectureRecord,
): Promise<void> {
  const { assemble, chapters } = record.artifacts;
  if (!assemble || !(chapters || record.skipped.chapters)) return;
  const keys = await deps.blobs.list(attemptPrefix(record.id, 'assemble', assemble.attempt));
  const found = keys.filter((key) => key.endsWith('.f32'));
  if (found.length < 2) return;
  const used: string[] = [];
  if (chapters) {
    const key = passagesKey(record.id, chapters.attempt);
    const passages = await unlessDamaged(deps.artifacts.readArtifact(key, passagesArtifactSchema));
    if (!passages) return;
    used.push(embeddingsKey(record.id, assemble.attempt, passages.content.inputHash));
  }
  const newest = record.transcriptVersion ?? 0;
  if (!chapters || studiedVersionOf(record, 'chapters') !== newest) {
    // Where that cannot be said all stay: the lecture has ended, and nothing that is only tidied up may change that.
    const key = await deps.studyInputs.embeddingsKeyOf(record, newest).catch(() => null);
    if (key === null) return;
    used.push(key);
  }
  // A retry that has begun meanwhile may have made new ones.
  if ((await deps.lectures.read(record.id))?.version !== record.version) return;
  for (const each of found) if (!used.includes(each)) await deps.blobs.delete(each);
}
