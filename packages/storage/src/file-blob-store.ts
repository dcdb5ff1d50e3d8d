import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { AppError } from '@studymate/contracts/errors';
import { parseKey, parsePrefix } from './blob-keys.ts';
import type { BlobStore } from './blob-store.ts';
import { createFileFolders, folderMode } from './file-folders.ts';
import { createFileReading, readChunkBytes, readOpenBlob } from './file-reading.ts';
import { type FileSystem, guarded, nodeFileSystem, toStorageError } from './file-system.ts';
import { createFileWriting } from './file-writing.ts';
import { inBatches } from './in-batches.ts';
import { checkRange, createStoreCalls, withSource } from './store-calls.ts';
import { createTempFiles } from './temp-files.ts';

/** "~" cannot stand in a key, so no blob can lie in this folder and no listing shows it. */
const defaultTempName = '~tmp';

export interface FileBlobStoreOptions {
  /** Made when it is missing. May be a symbolic link itself; links below it are never followed. */
  rootDir: string;
  /** For files that are not whole yet; in the same file system as `rootDir`. A folder in the root if not given. */
  tempDir?: string;
  fileSystem?: FileSystem;
}

/**
 * A blob store in a folder. A blob is written under a temporary name, synced, and then renamed (put) or linked
 * (create: `link` fails when the name is taken, also between processes), and its folder is synced, so that it is
 * whole or absent after a crash at any step. Temporary files that a dead process left are removed at the next start
 * and by `removeAbandoned`: at once where the process can be asked for, otherwise after an hour without a sign of it.
 *
 * A key cannot be a blob and the prefix of other blobs at once. Throws `storage_full` when there is no room,
 * `storage_unavailable` when the folder cannot be used or is gone, and `invalid_request` for what is not a key.
 */
export async function createFileBlobStore(options: FileBlobStoreOptions): Promise<BlobStore> {
  const fs = options.fileSystem ?? nodeFileSystem;
  const { run, close } = createStoreCalls(guarded);

  const { folders, temps } = await guarded(async () => {
    await fs.mkdir(resolve(options.rootDir), { recursive: true, mode: folderMode });
    const rootDir = await fs.realpath(resolve(options.rootDir));
    const wanted = options.tempDir === undefined ? join(rootDir, defaultTempName) : resolve(options.tempDir);
    await fs.mkdir(wanted, { recursive: true, mode: folderMode });
    const tempDir = await fs.realpath(wanted);
    if ((await fs.lstat(rootDir)).dev !== (await fs.lstat(tempDir)).dev) {
      throw new AppError('storage_unavailable', 'The folder for temporary files is in another file system.');
    }
    const temps = await createTempFiles({ fs, tempDir });
    await temps.sweep();
    return { temps, folders: createFileFolders({ fs, rootDir, tempDir }) };
  });
  const reading = createFileReading({ fs, folders });
  const writing = createFileWriting({ fs, folders, temps });

  async function* readRange(key: string, range?: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    checkRange(range);
    const blob = await run(async () => reading.open(parseKey(key)));
    if (!blob) throw new AppError('not_found', 'There is no such blob.');
    try {
      yield* readOpenBlob(blob, range);
    } catch (thrown) {
      throw toStorageError(thrown);
    }
  }

  async function* walk(prefix: string): AsyncGenerator<string> {
    const parts = parsePrefix(prefix);
    /** From the prefix down to the folder that is being walked through, each with what is still to come of it. */
    const open = [{ path: parts, left: (await run(() => reading.listFolder(parts))).reverse() }];
    for (let folder = open.at(-1); folder; folder = open.at(-1)) {
      const entry = folder.left.pop();
      if (!entry) {
        open.pop();
        continue;
      }
      const path = [...folder.path, entry.name];
      if (entry.isFolder) open.push({ path, left: (await run(() => reading.listFolder(path))).reverse() });
      else yield path.join('/');
    }
  }

  async function* walkOlder(prefix: string, thanMs: number): AsyncGenerator<string> {
    for await (const key of walk(prefix)) {
      const stat = await run(() => reading.stat(parseKey(key)));
      if (stat && stat.modifiedMs < thanMs) yield key;
    }
  }

  async function list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of walk(prefix)) keys.push(key);
    return keys;
  }

  async function deletePrefix(prefix: string): Promise<void> {
    const parts = parsePrefix(prefix);
    if (parts.length === 0) throw new AppError('invalid_request', 'The whole store is not deleted.');
    const keys = await list(prefix);
    await inBatches(keys, (key) => writing.remove(parseKey(key)));
  }

  return {
    async put(key, body) {
      if (body instanceof Uint8Array) return run(async () => writing.put(parseKey(key), body));
      return withSource(body, (watched) => run(async () => writing.put(parseKey(key), watched)));
    },
    create: (key, body) => run(async () => writing.create(parseKey(key), body)),
    read: (key) => run(async () => reading.read(parseKey(key))),
    stream: (key, range) => Readable.from(readRange(key, range), { objectMode: false, highWaterMark: readChunkBytes }),
    stat: (key) => run(async () => reading.stat(parseKey(key))),
    list,
    walk,
    walkOlder,
    delete: (key) => run(async () => writing.remove(parseKey(key))),
    deletePrefix: (prefix) => run(() => deletePrefix(prefix)),
    openLocal: (key) =>
      run(async () => {
        const parts = parseKey(key);
        if ((await reading.stat(parts)) === null) throw new AppError('not_found', 'There is no such blob.');
        return { path: folders.pathOf(parts), release: async () => undefined };
      }),
    check: () => run(() => writing.prove()),
    removeAbandoned: () => run(() => temps.sweep()),
    close,
  };
}
