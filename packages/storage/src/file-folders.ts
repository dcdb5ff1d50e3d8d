import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { type FileSystem, systemCode, vanishedCodes } from './file-system.ts';

/** A folder can be pruned between its making and its use; each such round means that somebody else got on. */
const maxFolderTries = 100;
export const folderMode = 0o750;

export interface FileFolders {
  /** Where a key's or prefix's parts lie. */
  pathOf(parts: string[]): string;
  /** A missing blob and a missing disk look alike to `open`: the temporary folder tells them apart. */
  assertRootThere(): Promise<void>;
  /** Every folder of the path must be a real folder in the root, not a link to somewhere else. */
  assertNoLinks(folder: string): Promise<void>;
  /** Makes what has been done to a folder's entries survive a power loss. */
  sync(folder: string): Promise<void>;
  /**
   * Puts a file in its place in a folder, which is made when it is missing; all entries are synced.
   * @returns false when `place` found the name taken
   */
  placeIn(folder: string, place: () => Promise<boolean>): Promise<boolean>;
  /** Removes a folder and those above it as far as they are empty. `rmdir` takes only empty ones: nothing is lost. */
  prune(lowest: string): Promise<void>;
}

/** The folders of a file store, which come and go with the blobs in them. Paths are absolute and without links. */
export function createFileFolders(deps: { fs: FileSystem; rootDir: string; tempDir: string }): FileFolders {
  const { fs, rootDir, tempDir } = deps;

  async function assertRootThere(): Promise<void> {
    await fs.lstat(tempDir);
  }

  async function assertNoLinks(folder: string): Promise<void> {
    if ((await fs.realpath(folder)) !== folder) {
      throw new AppError('storage_unavailable', 'A folder of the store is a symbolic link.');
    }
  }

  async function sync(folder: string): Promise<void> {
    const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Makes the folder and syncs the entries of all that had to be made. */
  async function make(folder: string): Promise<void> {
    const first = await fs.mkdir(folder, { recursive: true, mode: folderMode });
    await assertNoLinks(folder);
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await sync(dirname(made));
  }

  async function prune(lowest: string): Promise<void> {
    for (let folder = lowest; folder.length > rootDir.length; folder = dirname(folder)) {
      try {
        await fs.rmdir(folder);
      } catch (thrown) {
        if (systemCode(thrown) !== 'ENOENT') return;
      }
    }
  }

  return {
    pathOf: (parts) => join(rootDir, ...parts),
    assertRootThere,
    assertNoLinks,
    sync,
    async placeIn(folder, place) {
      let placed: boolean | undefined;
      for (let tries = 1; ; tries++) {
        try {
          await make(folder);
          placed = await place();
          await sync(folder);
          return placed;
        } catch (thrown) {
          if (vanishedCodes.has(systemCode(thrown))) {
            await assertRootThere();
            // The folder can vanish after that only if somebody has deleted this very blob.
            if (placed !== undefined) return placed;
            // A delete pruned the folder between its making and its use.
            if (tries < maxFolderTries) continue;
          }
          await prune(folder);
          throw thrown;
        }
      }
    },
    prune,
  };
}
