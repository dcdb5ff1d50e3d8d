import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { collectTransients } from '../src/collect-transients.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { recordKey } from '../src/lecture-keys.ts';
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

const transientUntil = '2026-01-01T00:00:00.000Z';
const untilMs = Date.parse(transientUntil);
const dayMs = 24 * 3_600_000;
const onError = (error: unknown) => {
  throw error;
};
const collectAt = (nowMs: number) => collectTransients({ blobs, lectures, onError }, { nowMs });

async function make(changes: { transientUntil?: string } = {}) {
  const record = { ...makeRecord(), ...changes };
  await blobs.put(record.media.key, text('sound'));
  await lectures.create(record);
  return record;
}

describe('collectTransients', () => {
  it('when its time is over: removes the lecture with its media and its mark, and no other lecture', async () => {
    const kept = await make();
    const before = await blobs.list('');
    const { id } = await make({ transientUntil });
    expect(await collectAt(untilMs - 1)).toBe(0);
    expect((await lectures.read(id))?.id).toBe(id);
    expect(await collectAt(untilMs)).toBe(1);
    expect(await lectures.read(id)).toBe(null);
    // A deletion leaves its own mark, so that no late writer brings the lecture back.
    expect((await blobs.list('')).filter((key) => !key.startsWith(`lectures/${id}/`))).toEqual(before);
    expect((await lectures.read(kept.id))?.id).toBe(kept.id);
  });

  it('a time that was changed since: counts as it stands', async () => {
    const { id } = await make({ transientUntil });
    await lectures.update(id, (old) => ({ ...old, transientUntil: new Date(untilMs + 5_000).toISOString() }));
    expect(await collectAt(untilMs)).toBe(0);
    expect(await collectAt(untilMs + 5_000)).toBe(1);
  });

  it('a mark of a lecture that is gone: goes after a day, and is not counted', async () => {
    const { id } = await make({ transientUntil });
    await lectures.delete(id);
    const { modifiedMs = 0 } = (await blobs.stat(`transient/${id}`)) ?? {};
    expect(await collectAt(modifiedMs + dayMs - 1)).toBe(0);
    expect(await blobs.list('transient/')).toEqual([`transient/${id}`]);
    expect(await collectAt(modifiedMs + dayMs)).toBe(0);
    expect(await blobs.list('transient/')).toEqual([]);
  });

  it('a mark whose lecture is only just being made: stays, and the lecture is collected in its time', async () => {
    const record = { ...makeRecord(), transientUntil };
    await blobs.create(`transient/${record.id}`, new Uint8Array());
    expect(await collectAt(Date.now())).toBe(0);
    await lectures.create(record);
    expect(await collectAt(untilMs)).toBe(1);
  });

  it('a lecture that cannot be removed: is told, and the others are removed', async () => {
    const made = [await make({ transientUntil }), await make({ transientUntil }), await make({ transientUntil })];
    const stuck = made[1]?.id;
    const told: unknown[] = [];
    const collect = () =>
      collectTransients({
        blobs,
        lectures: {
          read: lectures.read,
          async delete(id) {
            if (id === stuck) throw new Error('read-only');
            await lectures.delete(id);
          },
        },
        onError: (error, lectureId) => told.push([lectureId, String(error)]),
      });
    expect(await collect()).toBe(2);
    expect(told).toEqual([[stuck, 'Error: read-only']]);
    expect(await blobs.list('transient/')).toEqual([`transient/${stuck}`]);
  });

  it('a lecture whose record is damaged: stays', async () => {
    const { id } = await make({ transientUntil });
    await blobs.put(recordKey(id, 2), text('{'));
    expect(await collectAt(untilMs + 1)).toBe(0);
    expect(await blobs.list('transient/')).toEqual([`transient/${id}`]);
  });
});
