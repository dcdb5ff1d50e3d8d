import { constants, type Dirent } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { isKeyPart } from './blob-keys.ts';
import type { BlobStat } from './blob-store.ts';
import type { FileFolders } from './file-folders.ts';
import { type FileSystem, systemCode } from './file-system.ts';

/** Only media is larger, and media is streamed. */
const maxReadBytes = 512 * 1024 * 1024;
export const readChunkBytes = 256 * 1024;

export interface OpenBlob extends BlobStat {
  handle: FileHandle;
}

export interface FolderEntry {
  name: string;
  isFolder: boolean;
}

export interface FileReading {
  /** Opens a blob; null when there is none. The caller closes its handle. */
  open(parts: string[]): Promise<OpenBlob | null>;
  read(parts: string[]): Promise<Uint8Array | null>;
  stat(parts: string[]): Promise<BlobStat | null>;
  /** What lies in one folder, in the order in which the keys below it ascend; nothing where there is none. */
  listFolder(parts: string[]): Promise<FolderEntry[]>;
}

export function createFileReading(deps: { fs: FileSystem; folders: FileFolders }): FileReading {
  const { fs, folders } = deps;

  async function open(parts: string[]): Promise<OpenBlob | null> {
    const path = folders.pathOf(parts);
    let handle: FileHandle;
    try {
      await folders.assertNoLinks(dirname(path));
      // NONBLOCK: opening a pipe that somebody put there must not wait for its writer.
      handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        await folders.assertRootThere();
        return null;
      }
      throw thrown;
    }
    try {
      const stats = await handle.stat();
      if (stats.isFile()) return { handle, bytes: stats.size, modifiedMs: stats.mtimeMs };
      if (!stats.isDirectory()) {
        throw new AppError('storage_unavailable', 'Something that is not a file lies in the store.');
      }
    } catch (thrown) {
      await handle.close().catch(() => undefined);
      throw thrown;
    }
    await handle.close();
    return null;
  }

  return {
    open,
    async read(parts) {
      const blob = await open(parts);
      if (!blob) return null;
      try {
        if (blob.bytes > maxReadBytes) throw new AppError('internal', 'The blob is too large to be read at once.');
        return await blob.handle.readFile();
      } finally {
        await blob.handle.close();
      }
    },
    async stat(parts) {
      const blob = await open(parts);
      await blob?.handle.close();
      return blob && { bytes: blob.bytes, modifiedMs: blob.modifiedMs };
    },
    async listFolder(parts) {
      const folder = folders.pathOf(parts);
      let entries: Dirent[];
      try {
        await folders.assertNoLinks(folder);
        entries = await fs.readdir(folder, { withFileTypes: true });
      } catch (thrown) {
        const code = systemCode(thrown);
        if (code !== 'ENOENT' && code !== 'ENOTDIR') throw thrown;
        await folders.assertRootThere();
        return [];
      }
      return entries
        .filter((entry) => isKeyPart(entry.name) && (entry.isDirectory() || entry.isFile()))
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
        .sort((a, b) => (toSortName(a) < toSortName(b) ? -1 : 1));
    },
  };
}

/** By code unit, as S3 does: a folder's keys go on with "/", so "a-b" and "a.b" come before "a/b", and "a0" after it. */
function toSortName({ name, isFolder }: FolderEntry): string {
  return isFolder ? `${name}/` : name;
}

/**
 * The bytes of an open blob from `start` to `end` inclusive, in parts; closes its handle at the end.
 * @throws AppError `range_not_satisfiable` for a range that begins after the end
 */
export async function* readOpenBlob(
  blob: OpenBlob,
  range: { start: number; end: number } | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    if (range && range.start >= blob.bytes) {
      throw new AppError('range_not_satisfiable', 'The range begins after the end of the blob.');
    }
    let position = range?.start ?? 0;
    const end = Math.min(range?.end ?? Number.POSITIVE_INFINITY, blob.bytes - 1);
    while (position <= end) {
      const length = Math.min(readChunkBytes, end - position + 1);
      const { bytesRead, buffer } = await blob.handle.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) throw new AppError('storage_unavailable', 'The blob is shorter than it was.');
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await blob.handle.close();
  }
}
