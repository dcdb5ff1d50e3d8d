import type { TranscribedChunk } from '@studymate/contracts/artifacts';
import { createId } from '@studymate/contracts/ids';
import { type ArtifactRef, type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import type { Segment } from '@studymate/contracts/transcript';
import {
  attemptPrefix,
  chunkKey,
  ingestManifestKey,
  mediaKey,
  studyArtifactKey,
  transcribedChunkKey,
  transcriptKey,
} from '@studymate/storage/lecture-keys';
import { anonymousOwner } from '../../src/auth/owner.ts';
import type { TestApi } from './test-api.ts';

type Store = Pick<TestApi, 'blobs' | 'artifacts' | 'lectures'>;

const startedAt = '2026-01-01T00:00:00.000Z';

export function toRef(key: string, attempt = 1): ArtifactRef {
  return { key, schemaVersion: 1, algorithm: 'test@1', attempt, startedAt, seconds: 1, cold: false };
}

/** A lecture as an upload leaves it. */
export async function makeLecture(store: Store, changes: Partial<LectureRecord> = {}): Promise<LectureRecord> {
  const key = mediaKey(createId());
  const { bytes, sha256 } = await store.blobs.put(key, Buffer.from('0123456789'));
  const record = toFirstVersion({
    id: createId(),
    owner: anonymousOwner,
    title: 'Printing',
    media: { key, fileName: 'printing.mp3', contentType: 'audio/mpeg', bytes, sha256 },
    createdAt: startedAt,
    ...changes,
  });
  await store.lectures.create(record);
  return record;
}

export function makeSegment(id: number, text: string): Segment {
  const words = text
    .split(' ')
    .map((word, i) => ({ word, start: id + i / 10, end: id + (i + 1) / 10, probability: 0.9 }));
  return { id, start: id, end: id + 1, text, confidence: 0.9, flags: [], words };
}

/** Cuts a chunk, as ingest does. */
export async function cutChunk(store: Store, lectureId: string, index: number): Promise<void> {
  const window = { start: index * 10, end: index * 10 + 10, sampleOffset: 0, sampleCount: 160_000 };
  await store.artifacts.createArtifact(chunkKey(lectureId, 1, index), { schemaVersion: 1, index, windows: [window] });
}

/** Writes a chunk's text, as transcription does; segments are numbered from 0 within the chunk. */
export async function writeChunk(store: Store, lectureId: string, index: number, texts: string[], attempt = 1) {
  const chunk: TranscribedChunk = {
    schemaVersion: 1,
    index,
    language: 'en',
    languageProbability: 0.99,
    segments: texts.map((text, i) => makeSegment(i, text)),
    audioSeconds: 10,
    inferenceSeconds: 1,
    startedAt,
    finishedAt: startedAt,
    cold: false,
    algorithm: 'test@1',
  };
  await store.artifacts.createArtifact(transcribedChunkKey(lectureId, attempt, index), chunk);
}

/** Finishes the lecture with the given contents of its stages. */
export async function finishLecture(
  store: Store,
  lectureId: string,
  content: Partial<Record<'assemble' | 'chapters' | 'topics' | 'summary' | 'flashcards', unknown>>,
): Promise<LectureRecord> {
  const artifacts: Partial<Record<StageName, ArtifactRef>> = {
    ingest: toRef(ingestManifestKey(lectureId, 1)),
    transcribe: toRef(attemptPrefix(lectureId, 'transcribe', 1)),
  };
  const cut = { durationSeconds: 60, speechSeconds: 60, chunkCount: 1, warnings: [], loudness: 'AID/' };
  await store.artifacts.createArtifact(ingestManifestKey(lectureId, 1), { schemaVersion: 1, ...cut });
  for (const stage of ['assemble', 'chapters', 'topics', 'summary', 'flashcards'] as const) {
    if (!(stage in content)) continue;
    const key = stage === 'assemble' ? transcriptKey(lectureId, 1) : studyArtifactKey(lectureId, stage, 1);
    await store.artifacts.createArtifact(key, { schemaVersion: 1, content: content[stage] });
    artifacts[stage] = toRef(key);
  }
  const record = await store.lectures.update(lectureId, (current) => ({ ...current, artifacts, durationSeconds: 60 }));
  if (!record) throw new Error('the lecture is gone');
  return record;
}
