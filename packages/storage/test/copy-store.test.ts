import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { backUpStore, restoreStore } from '../src/copy-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { recordKey } from '../src/lecture-keys.ts';
import { createLectureStore } from '../src/lecture-store.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';

const roots: string[] = [];
let from: BlobStore;
let to: BlobStore;
const open = async () => {
  const rootDir = await makeRoot();
  roots.push(rootDir);
  return createFileBlobStore({ rootDir });
};
beforeEach(async () => {
  [from, to] = [await open(), await open()];
});
afterEach(async () => {
  await from.close();
  await to.close();
  for (const root of roots.splice(0)) await rm(root, { recursive: true });
});

describe('a backup', () => {
  it('has all but what requests have under way; the next one copies only what is new', async () => {
    const kept = [
      'courses/c/records/00000001.json',
      'keys/k/key.json',
      'lectures/l/ingest/1/chunk-0000.pcm',
      'media/m',
    ];
    for (const key of kept) await from.put(key, text(key));
    for (const key of ['claims/1/x', 'clips/x', 'uploads/ada/u/upload.json']) await from.put(key, text(key));
    expect(await backUpStore({ from, to })).toMatchObject({ copied: 4, kept: 0 });
    expect(await to.list('')).toEqual(kept);
    await from.put('media/n', text('new'));
    expect(await backUpStore({ from, to })).toEqual({ copied: 1, bytes: 3, kept: 4 });
    expect(await to.read('media/n')).toEqual(Buffer.from('new'));
  });

  it('made while work goes on: has no record without what it refers to', async () => {
    const lectures = createLectureStore({ blobs: from });
    const record = makeRecord();
    await lectures.create(record);
    /** As a worker does: the artifact, then the version that refers to it. */
    let made = 0;
    const work = async () => {
      made++;
      await from.create(`lectures/${record.id}/assemble/1/part-${made}.json`, text('{}'));
      await lectures.update(record.id, (now) => ({ ...now, title: `part ${made}` }));
    };
    // Between any two reads of the backup.
    const busy: BlobStore = {
      ...from,
      async stat(key) {
        await work();
        return from.stat(key);
      },
    };
    await work();
    await backUpStore({ from: busy, to });
    const copy = await createLectureStore({ blobs: to }).read(record.id);
    expect(copy?.title).toMatch(/^part \d+$/);
    expect(made).toBeGreaterThan(5);
    for (let i = 1; i <= Number(copy?.title.slice(5)); i++) {
      expect(await to.stat(`lectures/${record.id}/assemble/1/part-${i}.json`)).not.toBeNull();
    }
  });

  it('of a lecture that is deleted meanwhile: has it as deleted', async () => {
    const lectures = createLectureStore({ blobs: from });
    const record = makeRecord();
    await lectures.create(record);
    await from.put(record.media.key, text('sound'));
    let isDeleted = false;
    const deleting: BlobStore = {
      ...from,
      async stat(key) {
        // After its record was copied, before its recording is.
        if (key !== recordKey(record.id, 1) && !isDeleted) {
          isDeleted = true;
          await lectures.delete(record.id);
        }
        return from.stat(key);
      },
    };
    await backUpStore({ from: deleting, to });
    expect(isDeleted).toBe(true);
    expect(await createLectureStore({ blobs: to }).isDeleted(record.id)).toBe(true);
  });
});

describe('a restore', () => {
  it('interrupted and begun again: brings everything, the records last, and changes nothing that is there', async () => {
    const record = makeRecord();
    await createLectureStore({ blobs: from }).create(record);
    for (const key of ['media/a', 'media/b']) await from.put(key, text(key));
    let puts = 0;
    const failing: BlobStore = {
      ...to,
      async put(key, body) {
        if (++puts > 2) throw new Error('the line was cut');
        return to.put(key, body);
      },
    };
    await expect(restoreStore({ from, to: failing })).rejects.toThrow('the line was cut');
    expect(await to.stat(recordKey(record.id, 1))).toBeNull();
    await to.put('media/a', text('changed'));
    await restoreStore({ from, to });
    expect(await to.list('')).toEqual(await from.list(''));
    expect(await to.read('media/a')).toEqual(Buffer.from('changed'));
    expect(await createLectureStore({ blobs: to }).read(record.id)).toEqual(record);
  });
});
