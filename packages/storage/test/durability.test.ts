import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { createLectureStore } from '../src/lecture-store.ts';
import { makeRoot, text } from './support/fixtures.ts';
import { makeRecord } from './support/records.ts';
import { wrapFileSystem } from './support/wrapped-file-system.ts';

let rootDir: string;
beforeEach(async () => {
  rootDir = await makeRoot();
});
afterEach(() => rm(rootDir, { recursive: true }));

/**
 * What a disk holds at worst if the power goes: bytes that were synced, under names whose folder was synced after they
 * were given. (POSIX promises no more; many file systems keep more.)
 */
async function openWatched() {
  /** Paths of files with bytes that are not synced, and of names that are not. */
  const unsyncedBytes = new Set<string>();
  const unsyncedNames = new Set<string>();
  const move = (set: Set<string>, from: string, to: string) => {
    if (set.delete(from)) set.add(to);
  };
  const { fileSystem } = wrapFileSystem(({ name, paths: [first = '', second = ''] }) => {
    if (name === 'handle.write') unsyncedBytes.add(first);
    if (name === 'handle.sync') {
      unsyncedBytes.delete(first);
      for (const path of unsyncedNames) if (dirname(path) === first) unsyncedNames.delete(path);
    }
    if (name === 'rename') move(unsyncedBytes, first, second);
    if (name === 'link' && unsyncedBytes.has(first)) unsyncedBytes.add(second);
    if (name === 'rename' || name === 'link') unsyncedNames.add(second);
    // Recursive: any of the folders above may be new.
    if (name === 'mkdir') {
      for (let path = first; path.length > rootDir.length; path = dirname(path)) {
        if (!known.has(path)) unsyncedNames.add(path);
        known.add(path);
      }
    }
  });
  const known = new Set<string>();
  const store = await createFileBlobStore({ rootDir, fileSystem });
  unsyncedNames.clear();
  /** What a power loss now could take of a blob. */
  const atRisk = (key: string): string[] => {
    const path = join(rootDir, key);
    const risks = unsyncedBytes.has(path) ? ['its bytes'] : [];
    for (let name = path; name.length > rootDir.length; name = dirname(name)) {
      if (unsyncedNames.has(name)) risks.push(name.slice(rootDir.length));
    }
    return risks;
  };
  return { store, fileSystem, atRisk, unsynced: () => [...unsyncedBytes, ...unsyncedNames] };
}

async function* parts() {
  yield text('one');
  yield text('two');
}

describe('when a write has been acknowledged, a power loss takes nothing of it', () => {
  it.each<[string, (store: BlobStore) => Promise<unknown>]>([
    ['put of bytes', (store) => store.put('a/b/c', text('x'))],
    ['put of a stream', (store) => store.put('a/b/c', parts())],
    ['put over another', async (store) => store.put('a/b/c', text('x')).then(() => store.put('a/b/c', text('y')))],
    ['create', (store) => store.create('a/b/c', text('x'))],
    [
      'create beside another',
      async (store) => store.put('a/b/d', text('x')).then(() => store.create('a/b/c', text('y'))),
    ],
  ])('%s', async (_, write) => {
    const { store, atRisk } = await openWatched();
    await write(store);
    expect(atRisk('a/b/c')).toEqual([]);
  });

  it('create of what another has just made and not yet synced: told that it is taken, it stays taken', async () => {
    const { store, fileSystem, atRisk } = await openWatched();
    let risks: string[] | undefined;
    // The other one has given its blob the name, and stops before it syncs the folder.
    const other = await createFileBlobStore({
      rootDir,
      fileSystem: {
        ...fileSystem,
        async link(from, to) {
          await fileSystem.link(from, to);
          expect(atRisk('a/c')).toEqual(['/a/c']);
          expect(await store.create('a/c', text('mine'))).toBe(false);
          risks = atRisk('a/c');
        },
      },
    });
    expect(await other.create('a/c', text('theirs'))).toBe(true);
    expect(risks).toEqual([]);
    expect(String(await store.read('a/c'))).toBe('theirs');
    await other.close();
  });

  it('a lecture: its record and its mark, and each new version', async () => {
    const { store, unsynced } = await openWatched();
    const lectures = createLectureStore({ blobs: store });
    const record = makeRecord();
    await lectures.create(record);
    await lectures.update(record.id, (old) => ({ ...old, title: 'New' }));
    // The names of temporary files are nobody's loss.
    expect(unsynced().filter((path) => !path.includes('~tmp'))).toEqual([]);
    await lectures.delete(record.id);
    expect(await lectures.read(record.id)).toBeNull();
  });
});
