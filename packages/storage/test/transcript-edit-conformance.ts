import { maxEditBytes, type SegmentChange } from '@studymate/contracts/transcript-edit';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { transcriptEditKey, transcriptEditsPrefix } from '../src/lecture-keys.ts';
import { createLectureStore, type LectureStore } from '../src/lecture-store.ts';
import { createTranscriptEditStore, type TranscriptEditStore } from '../src/transcript-edit-store.ts';
import type { StoreUnderTest } from './blob-store-conformance.ts';
import { makeRecord } from './support/records.ts';

export const toChange = (at: number): SegmentChange => ({ id: at, start: at, from: 'heard', text: `said ${at}` });

/** What holds of corrections on whatever store. */
export function describeTranscriptEdits(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`corrections on ${name}`, () => {
    let under: StoreUnderTest;
    let blobs: BlobStore;
    let lectures: LectureStore;
    let edits: TranscriptEditStore;
    /** Those of another process. */
    let theirs: TranscriptEditStore;
    let id: string;
    beforeEach(async () => {
      under = await open();
      blobs = under.store;
      lectures = createLectureStore({ blobs });
      edits = createTranscriptEditStore({ blobs, lectures });
      const { second } = under;
      theirs = createTranscriptEditStore({ blobs: second, lectures: createLectureStore({ blobs: second }) });
      const record = makeRecord();
      await lectures.create(record);
      id = record.id;
    });
    afterEach(() => under.dispose());

    /** One more change, whatever there is already. */
    const add = (at: number, store = edits) =>
      store.save(id, async (_, current) => {
        const changes = [...current.changes, toChange(at)];
        return { changes, changedSegments: changes.length };
      });
    const listEdits = () => blobs.list(transcriptEditsPrefix(id));
    const readNewest = async () => edits.read(id, (await lectures.read(id))?.transcriptVersion ?? 0);

    test('each save is one more version, which the record names, and earlier ones stay as they are', async () => {
      expect(await edits.read(id, 0)).toBeNull();
      await add(1);
      const { record, edit } = await edits.save(id, async (_, current) => {
        expect(current.changes).toEqual([toChange(1)]);
        return { changes: [], changedSegments: 0, restoredFrom: 0 };
      });
      expect(record).toMatchObject({ transcriptVersion: 2, version: 3 });
      expect(edit.versions).toEqual((await edits.readCurrent(record)).versions);
      expect(edit.versions).toEqual([
        { version: 2, createdAt: expect.any(String), changedSegments: 0, restoredFrom: 0 },
        { version: 1, createdAt: expect.any(String), changedSegments: 1 },
      ]);
      expect((await edits.read(id, 1))?.changes).toEqual([toChange(1)]);
      const unchanged = await edits.save(id, async () => null);
      expect(unchanged.record.version).toBe(3);
    });

    test('many saves at once: each has its version, and no change is lost', async () => {
      await Promise.all(Array.from({ length: 8 }, (_, at) => add(at, at % 2 === 0 ? edits : theirs)));
      const newest = await readNewest();
      expect(newest?.changes.map(({ id: at }) => at).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(newest?.versions).toHaveLength(8);
      // What was written for a text that was no longer the newest is gone.
      expect(await listEdits()).toHaveLength(8);
    });

    test('a process that dies between version and record: the text is as before, and the next save removes what was left', async () => {
      await add(1);
      const dying = createTranscriptEditStore({
        blobs,
        lectures: {
          ...lectures,
          update: async () => {
            throw new Error('killed');
          },
        },
      });
      await expect(add(2, dying)).rejects.toThrow('killed');
      expect((await readNewest())?.changes).toEqual([toChange(1)]);
      expect(await listEdits()).toEqual([transcriptEditKey(id, 1), transcriptEditKey(id, 2)]);
      const { record, edit } = await add(3);
      expect(record.transcriptVersion).toBe(3);
      expect(edit.versions.map(({ version }) => version)).toEqual([3, 1]);
      expect(await listEdits()).toEqual([transcriptEditKey(id, 1), transcriptEditKey(id, 3)]);
    });

    test('a record that was written by a StudyMate without corrections: none is removed, and the next save lists them again', async () => {
      for (const at of [1, 2, 3]) await add(at);
      const forget = () => lectures.update(id, ({ transcriptVersion: _, ...record }) => record);
      await forget();
      // The last one could be a save that is still under way.
      expect((await edits.readCurrent({ id })).versions.map(({ version }) => version)).toEqual([2, 1]);
      const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
      try {
        expect((await edits.readCurrent({ id })).versions.map(({ version }) => version)).toEqual([3, 2, 1]);
        const { record, edit } = await add(4);
        expect(record.transcriptVersion).toBe(4);
        expect(edit.changes).toEqual([toChange(4)]);
        expect(edit.versions.map(({ version }) => version)).toEqual([4, 3, 2, 1]);
        expect((await edits.read(id, 3))?.changes).toEqual([1, 2, 3].map(toChange));
      } finally {
        now.mockRestore();
      }
      await forget();
      await add(5);
      await add(6);
      expect(await listEdits()).toEqual([1, 2, 3, 4, 5, 6].map((version) => transcriptEditKey(id, version)));
    });

    test('a version that is damaged: it is said so, earlier ones are listed, and the next save goes on from them', async () => {
      for (const at of [1, 2]) await add(at);
      await blobs.put(transcriptEditKey(id, 2), Buffer.from('{'));
      const { record, edit } = await edits.save(id, async (_, { versions, damage }) => {
        expect(damage).toMatchObject({ code: 'internal' });
        expect(versions.map(({ version }) => version)).toEqual([1]);
        return { changes: [toChange(1)], changedSegments: 1, restoredFrom: 1 };
      });
      expect(record.transcriptVersion).toBe(3);
      expect(edit.versions.map(({ version }) => version)).toEqual([3, 1]);
      expect((await add(4)).edit.changes).toEqual([toChange(1), toChange(4)]);
      // What a later StudyMate wrote is not damaged.
      await blobs.put(transcriptEditKey(id, 4), Buffer.from('{"schemaVersion":2}'));
      await expect(add(5)).rejects.toMatchObject({ code: 'newer_version' });
    });

    test('a lecture that is deleted meanwhile: the save is refused, and nothing of it stays', async () => {
      await add(1);
      const slow = createTranscriptEditStore({
        blobs: {
          ...blobs,
          async create(key, body) {
            await lectures.delete(id);
            return blobs.create(key, body);
          },
        },
        lectures,
      });
      await expect(add(2, slow)).rejects.toMatchObject({ code: 'not_found' });
      expect(await listEdits()).toEqual([]);
      await expect(add(3)).rejects.toMatchObject({ code: 'not_found' });
    });

    test('a transcript that is heard anew meanwhile: it is decided anew', async () => {
      let asked = 0;
      await edits.save(id, async () => {
        asked++;
        const ref = { key: 'k', schemaVersion: 1, algorithm: 'a@1', attempt: 2, seconds: 1, cold: null };
        const assemble = { ...ref, startedAt: new Date(0).toISOString() };
        if (asked === 1) await lectures.update(id, (record) => ({ ...record, artifacts: { assemble } }));
        return { changes: [toChange(asked)], changedSegments: 1 };
      });
      expect(asked).toBe(2);
      expect((await readNewest())?.changes).toEqual([toChange(2)]);
      expect(await listEdits()).toHaveLength(1);
    });

    test('too much to keep is refused, and nothing of it stays', async () => {
      const large = Array.from({ length: maxEditBytes / 5_000 }, (_, at) => ({
        ...toChange(at),
        text: 'x'.repeat(5_000),
      }));
      const save = edits.save(id, async () => ({ changes: large, changedSegments: large.length }));
      await expect(save).rejects.toMatchObject({ code: 'limit_reached' });
      expect((await lectures.read(id))?.version).toBe(1);
      expect(await listEdits()).toEqual([]);
    });
  });
}
