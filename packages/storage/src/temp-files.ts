import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { WrittenBlob } from './blob-store.ts';
import { type FileSystem, systemCode } from './file-system.ts';
import { isWriterGone, readWriterTag } from './temp-writer.ts';

/** A writer of a stream touches its file so often, also while nothing comes. */
const touchEveryMs = 60_000;
/** Of a writer that cannot be asked (another container or machine): sixty missed touches, and clocks that differ. */
const abandonedMs = 60 * 60 * 1000;
const fileMode = 0o640;
/** Our own names only: the folder may be one that others use too. */
const namePattern = /^(\d+(?:\.\d+\.[0-9a-f]{16})?)-[0-9a-f]{24}$/;

export interface TempFiles {
  /**
   * Writes a temporary file, and closes it. Nothing is left of it when the source or the disk fails.
   * @param options.isDurable it is synced as well, unless this is false
   */
  write(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { isDurable?: boolean },
  ): Promise<WrittenBlob & { path: string }>;
  /** Removes one; a file that is gone or cannot be removed is no error, for the next sweep sees it. */
  discard(path: string): Promise<void>;
  /** Removes the files whose writers are gone. @returns how many */
  sweep(): Promise<number>;
}

/** Files that are not whole yet. Their names say who writes them. */
export async function createTempFiles(deps: { fs: FileSystem; tempDir: string }): Promise<TempFiles> {
  const { fs, tempDir } = deps;
  const tag = await readWriterTag();

  async function discard(path: string): Promise<void> {
    await fs.unlink(path).catch(() => undefined);
  }

  async function isAbandoned(name: string, path: string): Promise<boolean> {
    const writer = namePattern.exec(name)?.[1];
    if (writer === undefined) return false;
    const stats = await fs.lstat(path);
    if (!stats.isFile()) return false;
    const gone = await isWriterGone(writer, tag);
    return gone ?? stats.mtimeMs < Date.now() - abandonedMs;
  }

  return {
    async write(body, { isDurable = true } = {}) {
      const path = join(tempDir, `${tag}-${randomBytes(12).toString('hex')}`);
      const handle = await fs.open(path, 'wx', fileMode);
      const touch = () => {
        const now = new Date();
        handle.utimes(now, now).catch(() => undefined);
      };
      const touching = body instanceof Uint8Array ? undefined : setInterval(touch, touchEveryMs).unref();
      try {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const part of body instanceof Uint8Array ? [body] : body) {
          if (!(part instanceof Uint8Array)) throw new TypeError('The source of a blob must give bytes.');
          hash.update(part);
          for (let done = 0; done < part.length; ) {
            const { bytesWritten } = await handle.write(part, done, part.length - done);
            done += bytesWritten;
          }
          bytes += part.length;
        }
        if (isDurable) await handle.sync();
        await handle.close();
        return { path, bytes, sha256: hash.digest('hex') };
      } catch (thrown) {
        await handle.close().catch(() => undefined);
        await discard(path);
        throw thrown;
      } finally {
        clearInterval(touching);
      }
    },
    discard,
    async sweep() {
      let removed = 0;
      for (const name of await fs.readdir(tempDir)) {
        const path = join(tempDir, name);
        try {
          if (!(await isAbandoned(name, path))) continue;
          await fs.unlink(path);
          removed++;
        } catch (thrown) {
          // Another process that sweeps at the same time may have removed it.
          if (systemCode(thrown) !== 'ENOENT') throw thrown;
        }
      }
      return removed;
    },
  };
}
