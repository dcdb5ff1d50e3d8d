import { rm } from 'node:fs/promises';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { collectOrphans } from '../src/collect-orphans.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { chunkKey, clipKey, mediaKey, ownerMarkKey, ownerMediaMarkKey, recordKey } from '../src/lecture-keys.ts';
import { createLectureStore, type LectureStore } from '../src/lecture-store.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';

let rootDir: string;
let blobs: BlobStore;
let lectures: LectureStore;
beforeEach(async () => {
  rootDir = await makeRoot();
  blobs = await createFileBlobStore({ rootDir });
  lectures = createLectureStore({ blobs });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true });
});

const hourMs = 3_600_000;
/** As if all that was written now had been written so long ago. */
const collectAfter = (ms: number, store = blobs) => collectOrphans({ blobs: store }, { nowMs: Date.now() + ms });

async function makeLecture() {
  const record = makeRecord();
  await blobs.put(record.media.key, text('sound'));
  await lectures.create(record);
  await lectures.update(record.id, (old) => ({ ...old, title: 'Newer' }));
  await blobs.put(chunkKey(record.id, 1, 0), text('chunk'));
  return record;
}

async function makeOrphans() {
  const keys = [
    mediaKey(createId()),
    clipKey(createId()),
    ownerMarkKey('anonymous', createId()),
    ownerMediaMarkKey('ann', 'ab', createId()),
  ];
  for (const key of keys) await blobs.put(key, text('left'));
  return keys;
}

describe('collectOrphans', () => {
  it('after a day: removes media without a lecture, clips and marks of nothing, and nothing else', async () => {
    await makeLecture();
    const deleted = await makeLecture();
    await lectures.delete(deleted.id);
    // Put back by a power loss: the deletion of a file is not synced.
    await blobs.put(deleted.media.key, text('sound'));
    await blobs.put('keys/a/key.json', text('{}'));
    const before = await blobs.list('');
    const orphans = await makeOrphans();
    const collected = await collectAfter(25 * hourMs);
    expect(collected.removed.sort()).toEqual([...orphans, deleted.media.key].sort());
    expect(collected.unreadableLectures).toEqual([]);
    expect(await blobs.list('')).toEqual(before.filter((key) => key !== deleted.media.key));
    expect((await collectAfter(25 * hourMs)).removed).toEqual([]);
  });

  it('within a day: removes nothing, for a request may still last', async () => {
    await makeOrphans();
    const before = await blobs.list('');
    expect((await collectAfter(23 * hourMs)).removed).toEqual([]);
    expect(await blobs.list('')).toEqual(before);
  });

  it('a lecture that is created while it looks: keeps its media and its mark', async () => {
    const record = makeRecord();
    await blobs.put(record.media.key, text('sound'));
    await blobs.put(ownerMarkKey(record.owner, record.id), new Uint8Array());
    // Right after the first listing, whichever it is.
    let created: Promise<void> | undefined;
    const late: BlobStore = {
      ...blobs,
      async *walk(prefix) {
        const keys = await blobs.list(prefix);
        created ??= lectures.create(record);
        await created;
        yield* keys;
      },
    };
    expect((await collectAfter(25 * hourMs, late)).removed).toEqual([]);
    expect(await blobs.stat(record.media.key)).not.toBeNull();
    expect(await lectures.listIds(record.owner, { limit: 9 })).toEqual([record.id]);
  });

  it('a lecture whose listed versions were dropped since, so much was written: keeps its media', async () => {
    const record = await makeLecture();
    let isWritten = false;
    const late: BlobStore = {
      ...blobs,
      async read(key) {
        for (let i = 0; !isWritten && i < 60; i++) {
          await lectures.update(record.id, (old) => ({ ...old, title: `${i}` }));
        }
        isWritten = true;
        return blobs.read(key);
      },
    };
    expect(await collectAfter(25 * hourMs, late)).toMatchObject({ removed: [], unreadableLectures: [] });
    expect(isWritten).toBe(true);
  });

  it('a record of a later StudyMate, or one whose newest version is damaged: its media stays', async () => {
    const later = await makeLecture();
    const { id, owner, media } = later;
    await blobs.put(recordKey(id, 3), text(JSON.stringify({ schemaVersion: 9, id, owner, media, more: true })));
    const damaged = await makeLecture();
    await blobs.put(recordKey(damaged.id, 3), text('{"half'));
    const [orphan] = await makeOrphans();
    const { removed, unreadableLectures } = await collectAfter(25 * hourMs);
    expect(unreadableLectures).toEqual([]);
    expect(removed).toContain(orphan);
    expect(await blobs.stat(later.media.key)).not.toBeNull();
    expect(await blobs.stat(damaged.media.key)).not.toBeNull();
  });

  it('a lecture that tells nothing: is named, and no media at all is removed', async () => {
    const record = await makeLecture();
    for (const version of [1, 2]) await blobs.put(recordKey(record.id, version), text('{"half'));
    const [orphan = ''] = await makeOrphans();
    const { removed, unreadableLectures } = await collectAfter(25 * hourMs);
    expect(unreadableLectures).toEqual([record.id]);
    expect(removed).not.toContain(orphan);
    expect(await blobs.stat(orphan)).not.toBeNull();
    expect(await blobs.stat(record.media.key)).not.toBeNull();
  });
});
