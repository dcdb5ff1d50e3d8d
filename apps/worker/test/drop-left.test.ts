import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { expect, test } from 'vitest';
import { dropEarlierAttempts } from '../src/drop-left.ts';

const pin = (attempt: number): ArtifactRef => ({
  ...{ key: 'k', schemaVersion: 1, algorithm: 'a@1', startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, cold: false },
  attempt,
});

test('what earlier attempts have made goes where a later one has settled, and stays where it has not', async () => {
  const rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-left-'));
  const blobs = await createFileBlobStore({ rootDir });
  const keys = ['assemble/1/transcript.json', 'summary/1/summary.json', 'topics/1/topics.json', 'topics/2/topics.json'];
  for (const key of [...keys, 'topics/3/topics.json', 'flashcards/1/flashcards.json'])
    await blobs.put(`lectures/l/${key}`, Buffer.from('{}'));
  // The summary was asked for again and failed.
  const artifacts = { assemble: pin(1), topics: pin(3) };
  // Of the cards nothing was made: the text that was left is none.
  const left = { skipped: { flashcards: 'no_speech' }, attempts: { summary: 2, topics: 3, flashcards: 2 } };
  const record = { id: 'l', artifacts, ...left } as unknown as LectureRecord;
  await dropEarlierAttempts(blobs, record);
  expect(await blobs.list('lectures/l/')).toEqual([
    'lectures/l/assemble/1/transcript.json',
    'lectures/l/summary/1/summary.json',
    'lectures/l/topics/3/topics.json',
  ]);
  await blobs.close();
  await rm(rootDir, { recursive: true });
});
