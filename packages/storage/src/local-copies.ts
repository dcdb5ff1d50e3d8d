import { mkdir, statfs, utimes } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { folderMode } from './file-folders.ts';
import { guarded, nodeFileSystem } from './file-system.ts';
import { createTempFiles, type TempFiles } from './temp-files.ts';

/** Files that are there for as long as a program needs a path. */
export interface LocalCopies {
  /**
   * @param bytes how many will come
   * @param signal ends the copying, with its reason
   * @throws AppError `storage_full` when the disk has no room for them; what `open` throws
   */
  open(
    bytes: number,
    open: () => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<{ path: string; release(): Promise<void> }>;
  /** Removes those of processes that are gone. @returns how many */
  sweep(): Promise<number>;
}

/** What is left to others on the disk of local copies. */
const spareBytes = 128 * 1024 * 1024;
/** A copy is touched so often while it is used; see temp-files.ts. */
const touchEveryMs = 60_000;

/** @param deps.dir made with the first copy */
export function createLocalCopies(deps: { dir: string }): LocalCopies {
  const dir = resolve(deps.dir);
  let temps: Promise<TempFiles> | undefined;
  /** Of copies that are being written: what they will take, the disk does not know yet. */
  let expectedBytes = 0;

  async function openTemps(): Promise<TempFiles> {
    await mkdir(dir, { recursive: true, mode: folderMode });
    const opened = await createTempFiles({ fs: nodeFileSystem, tempDir: dir });
    await opened.sweep();
    return opened;
  }

  function getTemps(): Promise<TempFiles> {
    temps ??= openTemps().catch((thrown) => {
      temps = undefined;
      throw thrown;
    });
    return temps;
  }

  async function checkRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize - expectedBytes >= bytes + spareBytes) return;
    throw new AppError('storage_full', 'There is no room on the disk of DATA_DIR for a copy of the recording.');
  }

  return {
    open: (bytes, open, signal) =>
      guarded(async () => {
        const files = await getTemps();
        await checkRoom(bytes);
        expectedBytes += bytes;
        let missing = bytes;
        async function* watched() {
          for await (const part of open()) {
            signal?.throwIfAborted();
            // The disk knows of these now.
            const known = Math.min(part.length, missing);
            missing -= known;
            expectedBytes -= known;
            yield part;
          }
        }
        let path: string;
        try {
          const written = await files.write(watched(), { isDurable: false });
          path = written.path;
          if (written.bytes !== bytes) {
            await files.discard(path);
            throw new AppError('storage_unavailable', 'The blob was replaced while it was read.');
          }
        } finally {
          expectedBytes -= missing;
        }
        const touching = setInterval(() => {
          const now = new Date();
          utimes(path, now, now).catch(() => undefined);
        }, touchEveryMs).unref();
        return {
          path,
          async release() {
            clearInterval(touching);
            await files.discard(path);
          },
        };
      }),
    sweep: () => guarded(async () => (await getTemps()).sweep()),
  };
}
