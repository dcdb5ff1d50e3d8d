import { rm } from 'node:fs/promises';
import { maxTranscriptVersions } from '@studymate/contracts/transcript-edit';
import { expect, test } from 'vitest';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { transcriptEditKey, transcriptEditsPrefix } from '../src/lecture-keys.ts';
import { createLectureStore } from '../src/lecture-store.ts';
import { createTranscriptEditStore } from '../src/transcript-edit-store.ts';
import { makeRoot } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';
import { describeTranscriptEdits, toChange } from './transcript-edit-conformance.ts';

async function openFiles() {
  const rootDir = await makeRoot();
  const store = await createFileBlobStore({ rootDir });
  const second = await createFileBlobStore({ rootDir });
  return {
    store,
    second,
    async dispose() {
      await store.close();
      await second.close();
      await rm(rootDir, { recursive: true });
    },
  };
}

describeTranscriptEdits('files', openFiles);

test('of more versions than are kept the oldest go, but not one that a study stage reads; a damaged one is an error', async () => {
  const { store: blobs, dispose } = await openFiles();
  try {
    const lectures = createLectureStore({ blobs });
    const edits = createTranscriptEditStore({ blobs, lectures });
    const { id } = makeRecord();
    await lectures.create({ ...makeRecord(id), studiedVersions: { summary: 2 } });
    for (let at = 1; at <= maxTranscriptVersions + 3; at++) {
      await edits.save(id, async () => ({ changes: [toChange(at)], changedSegments: 1 }));
    }
    const newest = (await lectures.read(id))?.transcriptVersion ?? 0;
    const versions = (await edits.read(id, newest))?.versions ?? [];
    expect(versions).toHaveLength(maxTranscriptVersions);
    expect(versions.at(-1)?.version).toBe(4);
    const kept = await blobs.list(transcriptEditsPrefix(id));
    expect(kept).toHaveLength(maxTranscriptVersions + 1);
    expect(kept[0]).toBe(transcriptEditKey(id, 2));

    await blobs.put(transcriptEditKey(id, newest), Buffer.from('{'));
    await expect(edits.read(id, newest)).rejects.toMatchObject({ code: 'internal' });
    await expect(edits.read(id, 1)).rejects.toMatchObject({ code: 'internal' });
  } finally {
    await dispose();
  }
});
