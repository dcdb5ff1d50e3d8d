import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import type { WrittenBlob } from './blob-store.ts';
import type { FileFolders } from './file-folders.ts';
import { type FileSystem, systemCode } from './file-system.ts';
import type { TempFiles } from './temp-files.ts';

export interface FileWriting {
  put(parts: string[], body: Uint8Array | AsyncIterable<Uint8Array>): Promise<WrittenBlob>;
  create(parts: string[], body: Uint8Array): Promise<boolean>;
  /** Removes a blob and the folders that it leaves empty. */
  remove(parts: string[]): Promise<void>;
  /** Writes, reads again and removes a temporary file. */
  prove(): Promise<void>;
}

/**
 * How blobs come into a file store and leave it. The order of the steps is what makes a blob whole or absent after a
 * crash at any of them: the bytes are synced before they get their name, and the name before anybody is told of it.
 */
export function createFileWriting(deps: { fs: FileSystem; folders: FileFolders; temps: TempFiles }): FileWriting {
  const { fs, folders, temps } = deps;

  async function isTaken(path: string): Promise<boolean> {
    try {
      const stats = await fs.lstat(path);
      if (stats.isFile()) return true;
      throw new AppError('storage_unavailable', 'The key is taken by something that is not a blob.');
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return false;
      throw thrown;
    }
  }

  /** As `isTaken`; a name that was seen survives a power loss even if its writer has not got that far. */
  async function isTakenForGood(path: string): Promise<boolean> {
    if (!(await isTaken(path))) return false;
    try {
      await folders.sync(dirname(path));
      return true;
    } catch (thrown) {
      // Deleted meanwhile, with its folder.
      if (systemCode(thrown) === 'ENOENT') return false;
      throw thrown;
    }
  }

  return {
    async put(parts, body) {
      const path = folders.pathOf(parts);
      const { path: temp, bytes, sha256 } = await temps.write(body);
      try {
        await folders.placeIn(dirname(path), async () => {
          await fs.rename(temp, path);
          return true;
        });
      } catch (thrown) {
        await temps.discard(temp);
        throw thrown;
      }
      return { bytes, sha256 };
    },

    async create(parts, body) {
      const path = folders.pathOf(parts);
      // Spares the writing when the name is taken, which is what a repeated job finds.
      if (await isTakenForGood(path)) return false;
      const { path: temp } = await temps.write(body);
      try {
        return await folders.placeIn(dirname(path), async () => {
          try {
            await fs.link(temp, path);
            return true;
          } catch (thrown) {
            if (systemCode(thrown) === 'EEXIST' && (await isTaken(path))) return false;
            throw thrown;
          }
        });
      } finally {
        await temps.discard(temp);
      }
    },

    async remove(parts) {
      const path = folders.pathOf(parts);
      try {
        await folders.assertNoLinks(dirname(path));
        await fs.unlink(path);
      } catch (thrown) {
        const code = systemCode(thrown);
        if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR' && code !== 'EPERM') throw thrown;
        // Linux says EISDIR for a folder, the BSDs EPERM; a folder is no blob.
        if (code === 'EPERM' && !(await fs.lstat(path)).isDirectory()) throw thrown;
        await folders.assertRootThere();
        if (code !== 'ENOENT') return;
      }
      await folders.prune(dirname(path));
    },

    async prove() {
      const proof = randomBytes(4096);
      const { path } = await temps.write(proof);
      try {
        await folders.assertNoLinks(folders.pathOf([]));
        const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          if (!proof.equals(await handle.readFile())) {
            throw new AppError('storage_unavailable', 'The store does not give back what was written.');
          }
        } finally {
          await handle.close();
        }
      } finally {
        await temps.discard(path);
      }
    },
  };
}
