import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { isKeyPart, parseKey } from './blob-keys.ts';
import type { BlobStat } from './blob-store.ts';
import { createFileFolders, folderMode } from './file-folders.ts';
import { createFileReading, readOpenBlob } from './file-reading.ts';
import { type FileSystem, guarded, nodeFileSystem, systemCode, toStorageError } from './file-system.ts';

/** Files that grow until they are whole, and then become a blob by getting its name: nothing is copied. */
export interface PartialFiles {
  /** @returns null when nothing has come yet */
  stat(id: string): Promise<BlobStat | null>;
  /**
   * Opens the file at its end; it is made when it is missing.
   * @throws AppError `offset_mismatch` when it does not end at `offset`; `storage_full`, `storage_unavailable`
   */
  append(id: string, offset: number): Promise<PartialWriter>;
  /**
   * The bytes of a file that is whole. Fails with `not_found` when there are none.
   * @param bytes how many there are
   * @throws AppError `storage_unavailable` when there are more or fewer
   */
  read(id: string, bytes: number): AsyncIterable<Uint8Array>;
  /**
   * Gives a file that is whole the name of a blob, as if its last byte had come just now.
   * @param bytes how many there are
   * @returns false when there is no such file, because it has become the blob already, or never was
   * @throws AppError `storage_unavailable` when there are more or fewer
   */
  publish(id: string, key: string, bytes: number): Promise<boolean>;
  /** Removing what is not there is no error. */
  remove(id: string): Promise<void>;
  /** Ids of files whose last byte came before that moment. */
  listOlder(thanMs: number): Promise<string[]>;
}

export interface PartialWriter {
  /** What was written before a failure stays, and counts. */
  write(bytes: Uint8Array): Promise<void>;
  /** Brings all that was written to the disk. */
  close(): Promise<void>;
}

/** @throws AppError `storage_unavailable`: nothing is made of a file that has lost or gained bytes. */
export function checkLength(actual: number, wanted: number): void {
  if (actual === wanted) return;
  throw new AppError('storage_unavailable', `The upload has ${actual} of its ${wanted} bytes in the store.`);
}

/** "~" cannot stand in a key, so no blob can lie in this folder and no listing shows it. */
const folderName = '~uploads';
const fileMode = 0o640;

/**
 * Partial files beside a file blob store, in the same root and therefore in the same file system. How much has come of
 * a file is its length: it grows only by whole writes at its end, and a process that dies leaves what it had written.
 */
export async function createPartialFiles(options: { rootDir: string; fileSystem?: FileSystem }): Promise<PartialFiles> {
  const fs = options.fileSystem ?? nodeFileSystem;
  const { dir, folders } = await guarded(async () => {
    await fs.mkdir(join(resolve(options.rootDir), folderName), { recursive: true, mode: folderMode });
    const rootDir = await fs.realpath(resolve(options.rootDir));
    const dir = join(rootDir, folderName);
    if ((await fs.lstat(rootDir)).dev !== (await fs.lstat(dir)).dev) {
      throw new AppError('storage_unavailable', 'The folder for unfinished uploads is in another file system.');
    }
    return { dir, folders: createFileFolders({ fs, rootDir, tempDir: dir }) };
  });
  const reading = createFileReading({ fs, folders });
  const parts = (id: string): string[] => {
    if (!isKeyPart(id)) throw new AppError('internal', 'This is no name of a partial file.', { retryable: false });
    return [folderName, id];
  };
  const pathOf = (id: string) => folders.pathOf(parts(id));

  async function exists(path: string): Promise<boolean> {
    return fs.lstat(path).then(
      () => true,
      (thrown: unknown) => {
        if (systemCode(thrown) === 'ENOENT') return false;
        throw thrown;
      },
    );
  }

  return {
    stat: (id) => guarded(() => reading.stat(parts(id))),

    append: (id, offset) =>
      guarded(async () => {
        await folders.assertNoLinks(dir);
        const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
        const handle = await fs.open(pathOf(id), flags, fileMode);
        try {
          const { size } = await handle.stat();
          if (size !== offset) {
            throw new AppError('offset_mismatch', `The upload has ${size} bytes so far.`, {
              details: { offset: size },
            });
          }
          if (size === 0) await folders.sync(dir);
        } catch (thrown) {
          await handle.close();
          throw thrown;
        }
        let end = offset;
        return {
          write: (bytes) =>
            guarded(async () => {
              for (let done = 0; done < bytes.length; ) {
                const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, end);
                done += bytesWritten;
                end += bytesWritten;
              }
            }),
          close: () =>
            guarded(async () => {
              try {
                await handle.sync();
              } finally {
                await handle.close();
              }
            }),
        };
      }),

    async *read(id, bytes) {
      const blob = await guarded(() => reading.open(parts(id)));
      if (!blob) throw new AppError('not_found', 'There is no such file.');
      try {
        let read = 0;
        for await (const piece of readOpenBlob(blob, undefined)) {
          read += piece.length;
          yield piece;
        }
        checkLength(read, bytes);
      } catch (thrown) {
        throw toStorageError(thrown);
      }
    },

    publish: (id, key, bytes) =>
      guarded(async () => {
        const path = pathOf(id);
        const blobPath = folders.pathOf(parseKey(key));
        if (!(await exists(path))) return false;
        const handle = await fs.open(path, constants.O_RDWR | constants.O_NOFOLLOW);
        try {
          checkLength((await handle.stat()).size, bytes);
          // Orphans are found by their age, and this one is to get its lecture only now.
          const now = new Date();
          await handle.utimes(now, now);
          await handle.sync();
        } finally {
          await handle.close();
        }
        return folders.placeIn(dirname(blobPath), async () => {
          try {
            await fs.rename(path, blobPath);
            return true;
          } catch (thrown) {
            if (systemCode(thrown) === 'ENOENT' && !(await exists(path))) return false;
            throw thrown;
          }
        });
      }),

    remove: (id) =>
      guarded(async () => {
        await folders.assertNoLinks(dir);
        await fs.unlink(pathOf(id)).catch((thrown: unknown) => {
          if (systemCode(thrown) !== 'ENOENT') throw thrown;
        });
      }),

    listOlder: (thanMs) =>
      guarded(async () => {
        const old: string[] = [];
        for (const { name, isFolder } of await reading.listFolder([folderName])) {
          const stat = isFolder ? null : await reading.stat(parts(name));
          if (stat && stat.modifiedMs < thanMs) old.push(name);
        }
        return old;
      }),
  };
}
