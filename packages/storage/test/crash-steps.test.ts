import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import {
  chunkKey,
  deletionVersion,
  lecturePrefix,
  recordKey,
  transcriptEditKey,
  transcriptEditsPrefix,
} from '../src/lecture-keys.ts';
import { createLectureStore, type LectureStore } from '../src/lecture-store.ts';
import { createTranscriptEditStore } from '../src/transcript-edit-store.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';
import { dyingFileSystem, failingFileSystem } from './support/wrapped-file-system.ts';

/** A wrong step would be found long before; a loop that never ends is. */
const mostSteps = 400;

let rootDir: string;
let clean: BlobStore;
let lectures: LectureStore;
beforeEach(async () => {
  rootDir = await makeRoot();
  clean = await createFileBlobStore({ rootDir });
  lectures = createLectureStore({ blobs: clean });
});
afterEach(async () => {
  await clean.close();
  await rm(rootDir, { recursive: true });
});

/** Removes the unfinished files, which a sweep leaves to a process that lives, as this one does. @returns how many */
async function clearTemps(): Promise<number> {
  const temps = await readdir(join(rootDir, '~tmp'));
  for (const name of temps) await rm(join(rootDir, '~tmp', name));
  return temps.length;
}

/**
 * Runs an action once for each of its calls of the file system, and lets the process die at that call.
 * @param inspect looks at what a new process finds; `done` tells whether the action had come to its end
 */
async function dieAtEachCall(
  prepare: () => Promise<unknown>,
  action: (blobs: BlobStore) => Promise<unknown>,
  inspect: (done: boolean, at: number) => Promise<void>,
): Promise<number> {
  for (let at = 1; at < mostSteps; at++) {
    await prepare();
    const dying = dyingFileSystem(at);
    const blobs = await createFileBlobStore({ rootDir, fileSystem: dying.fileSystem });
    dying.arm();
    const done = await action(blobs).then(
      () => true,
      () => false,
    );
    await dying.quiet();
    // A lecture's two marks are written side by side.
    expect(await clearTemps()).toBeLessThanOrEqual(2);
    await inspect(done, at);
    if (!dying.hasDied()) return at - 1;
  }
  throw new Error('it never came to an end');
}

describe('a process that dies at each call of the file system in turn', () => {
  it('put: the old blob or the new one is there and whole', async () => {
    const seen = new Set<string>();
    const steps = await dieAtEachCall(
      () => clean.put('a/b/c', text('old')),
      (blobs) => blobs.put('a/b/c', text('new')),
      async (done) => {
        const found = String(await clean.read('a/b/c'));
        seen.add(found);
        if (done) expect(found).toBe('new');
        expect(await clean.list('')).toEqual(['a/b/c']);
      },
    );
    expect(steps).toBeGreaterThan(5);
    expect([...seen].sort()).toEqual(['new', 'old']);
  });

  it('create: there is nothing or the whole blob, and a second create brings it or finds it', async () => {
    const steps = await dieAtEachCall(
      () => clean.deletePrefix('a/'),
      (blobs) => blobs.create('a/b/c', text('new')),
      async (done) => {
        const found = await clean.read('a/b/c');
        if (done) expect(found).not.toBeNull();
        expect(await clean.create('a/b/c', text('new'))).toBe(found === null);
        expect(String(await clean.read('a/b/c'))).toBe('new');
        expect(await clean.list('')).toEqual(['a/b/c']);
      },
    );
    expect(steps).toBeGreaterThan(5);
  });

  it('delete, deletePrefix: each blob is there and whole or gone, and doing it again ends it', async () => {
    const keys = ['a/b/c', 'a/b/d', 'a/e'];
    for (const remove of [
      (blobs: BlobStore) => blobs.delete('a/b/c'),
      (blobs: BlobStore) => blobs.deletePrefix('a/'),
    ]) {
      const steps = await dieAtEachCall(
        async () => {
          for (const key of keys) await clean.put(key, text(key));
        },
        remove,
        async () => {
          for (const key of await clean.list('')) expect(String(await clean.read(key))).toBe(key);
          await remove(clean);
          expect(await clean.list('')).not.toContain('a/b/c');
        },
      );
      expect(steps).toBeGreaterThan(2);
    }
    expect(await readdir(rootDir)).toEqual(['~tmp']);
  });

  it('lecture create: there is no lecture or the whole one, and the same call brings it or finds it', async () => {
    let record: LectureRecord = makeRecord();
    const steps = await dieAtEachCall(
      async () => {
        record = makeRecord();
      },
      (blobs) => createLectureStore({ blobs }).create(record),
      async (done) => {
        const found = await lectures.read(record.id);
        if (done) expect(found).toEqual(record);
        else if (found !== null) expect(found).toEqual(record);
        // Whatever is listed can be looked at: a mark without a lecture reads as null.
        if (found !== null) expect(await lectures.listIds(record.owner, { limit: 1 })).toEqual([record.id]);
        await lectures.create(record);
        expect(await lectures.read(record.id)).toEqual(record);
        expect(await lectures.listIds(record.owner, { limit: 1 })).toEqual([record.id]);
        await lectures.delete(record.id);
      },
    );
    expect(steps).toBeGreaterThan(10);
  });

  it('lecture update: the last version is the old or the new one, and the next update goes on from it', async () => {
    let record: LectureRecord = makeRecord();
    const rename = (title: string) => (old: LectureRecord) => ({ ...old, title });
    await dieAtEachCall(
      async () => {
        record = makeRecord();
        await lectures.create(record);
      },
      (blobs) => createLectureStore({ blobs }).update(record.id, rename('New')),
      async (done) => {
        const found = await lectures.read(record.id);
        expect([1, 2]).toContain(found?.version);
        expect(found?.title).toBe(found?.version === 2 ? 'New' : record.title);
        if (done) expect(found?.version).toBe(2);
        const next = await lectures.update(record.id, rename('Next'));
        expect(next).toEqual({ ...record, title: 'Next', version: (found?.version ?? 0) + 1 });
        await lectures.delete(record.id);
      },
    );
  });

  it('a correction: the text is as before or corrected, and the next one goes on from it and removes what was left', async () => {
    let record: LectureRecord = makeRecord();
    const correct = (blobs: BlobStore, text: string) =>
      createTranscriptEditStore({ blobs, lectures: createLectureStore({ blobs }) }).save(
        record.id,
        async (_, current) => ({
          changes: [...current.changes, { id: 0, start: 0, from: 'heard', text }],
          changedSegments: 1,
        }),
      );
    const seen = new Set<number>();
    await dieAtEachCall(
      async () => {
        record = makeRecord();
        await lectures.create(record);
      },
      (blobs) => correct(blobs, 'one'),
      async (done) => {
        const found = (await lectures.read(record.id))?.transcriptVersion ?? 0;
        seen.add(found);
        if (done) expect(found).toBe(1);
        const next = await correct(clean, 'two');
        const texts = next.edit.changes.map((change) => change.text);
        expect(texts).toEqual(found === 0 ? ['two'] : ['one', 'two']);
        const versions = next.edit.versions.map(({ version }) => transcriptEditKey(record.id, version));
        const kept = await clean.list(transcriptEditsPrefix(record.id));
        // What the very first save has left could be what a record has forgotten, so it stays.
        expect(kept.filter((key) => found > 0 || key !== transcriptEditKey(record.id, 1))).toEqual(
          versions.filter((key) => found > 0 || key !== transcriptEditKey(record.id, 1)).sort(),
        );
        await lectures.delete(record.id);
      },
    );
    expect([...seen].sort()).toEqual([0, 1]);
  });

  it('lecture delete: it is whole, or reads as null for good and is finished by the next start', async () => {
    let record: LectureRecord = makeRecord();
    await dieAtEachCall(
      async () => {
        record = makeRecord();
        await lectures.create(record);
        await clean.put(record.media.key, text('sound'));
        for (let i = 0; i < 3; i++) await clean.put(chunkKey(record.id, 1, i), text('chunk'));
      },
      (blobs) => createLectureStore({ blobs }).delete(record.id),
      async (done) => {
        const mark = recordKey(record.id, deletionVersion);
        if ((await clean.stat(mark)) === null) {
          expect(done).toBe(false);
          expect(await lectures.read(record.id)).toEqual(record);
          expect(await clean.list(lecturePrefix(record.id))).toHaveLength(4);
          expect(await clean.stat(record.media.key)).not.toBeNull();
          await lectures.delete(record.id);
        } else {
          expect(await lectures.read(record.id)).toBeNull();
          await lectures.finishDeletions();
        }
        expect(await clean.list('')).toEqual([mark]);
        await clean.delete(mark);
      },
    );
  });
});

describe('a call of the file system that fails, each in turn', () => {
  it.each([
    ['ENOSPC', 'storage_full'],
    ['EDQUOT', 'storage_full'],
    ['EIO', 'storage_unavailable'],
    ['EACCES', 'storage_unavailable'],
    ['EMFILE', 'storage_unavailable'],
    ['EROFS', 'storage_unavailable'],
  ])(
    '%s: writing says %s, what was there or the new blob is whole, and nothing else is left',
    async (code, expected) => {
      for (const method of ['put', 'create'] as const) {
        for (let at = 1; ; at++) {
          expect(at).toBeLessThan(mostSteps);
          if (method === 'put') await clean.put('a/b/c', text('old'));
          const failing = failingFileSystem(at, code);
          const store = await createFileBlobStore({ rootDir, fileSystem: failing.fileSystem });
          failing.arm();
          const outcome = await store[method]('a/b/c', text('new')).then(
            () => 'done',
            (thrown) => thrown.code,
          );
          // A fault of the last call, the removal of create's temporary file, is no failure of the creation.
          if (outcome !== 'done') expect(outcome).toBe(expected);
          const left = await clean.read('a/b/c');
          expect(method === 'put' ? ['old', 'new'] : [undefined, 'new']).toContain(left?.toString());
          if (outcome === 'done') expect(left?.toString()).toBe('new');
          await clean.deletePrefix('a/');
          expect(await readdir(rootDir)).toEqual(['~tmp']);
          // Only the call that removes the temporary file itself can leave it; a later sweep takes it away.
          expect(await clearTemps()).toBeLessThanOrEqual(outcome === 'done' ? 1 : 0);
          if (!failing.hasFailed()) break;
        }
      }
    },
  );

  it.each(['EIO', 'EMFILE', 'EACCES'])(
    '%s: reading, listing and deleting say so; none takes it for missing',
    async (code) => {
      const actions: [string, (store: BlobStore) => Promise<unknown>, unknown][] = [
        ['read', (store) => store.read('a/b'), Buffer.from('kept')],
        ['stat', async (store) => (await store.stat('a/b'))?.bytes, 4],
        ['list', (store) => store.list(''), ['a/b']],
        ['delete', (store) => store.delete('a/b'), undefined],
        ['deletePrefix', (store) => store.deletePrefix('a/'), undefined],
      ];
      for (const [name, action, expected] of actions) {
        let faults = 0;
        for (let at = 1; ; at++) {
          expect(at).toBeLessThan(mostSteps);
          await clean.put('a/b', text('kept'));
          const failing = failingFileSystem(at, code);
          const store = await createFileBlobStore({ rootDir, fileSystem: failing.fileSystem });
          failing.arm();
          const outcome = await action(store).catch((thrown) => thrown.code);
          await failing.quiet();
          if (outcome === 'storage_unavailable') faults++;
          else expect(outcome, name).toEqual(expected);
          if (!failing.hasFailed()) break;
        }
        expect(faults, name).toBeGreaterThan(0);
      }
    },
  );
});
