import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, toAppError } from '@studymate/contracts/errors';
import { withFolderLock } from './folder-lock.ts';
import type { HubClient, HubFile } from './hub-client.ts';
import { cancelled, unreachable } from './hub-request.ts';

/** A file that a kind of model needs, or takes when there is one. */
export interface WantedFile {
  path: string;
  isNeeded: boolean;
}

export interface DownloadProgress {
  downloadedBytes: number;
  totalBytes: number;
}

export interface DownloadLimits {
  /** Of all files together. */
  maxBytes: number;
  /** Left free on the disk. */
  spareBytes: number;
  /** Failures in a row, without a byte that came between them. */
  maxFailures: number;
  /** Before the first repetition; doubles. */
  firstDelayMs: number;
  /** Fewer bytes than `minBytesEachStall` in so long, and the connection is given up and made anew. */
  stallMs: number;
}

export const defaultDownloadLimits: DownloadLimits = {
  maxBytes: 16 * 2 ** 30,
  spareBytes: 256 * 2 ** 20,
  maxFailures: 5,
  firstDelayMs: 1_000,
  stallMs: 60_000,
};
const minBytesEachStall = 64 * 2 ** 10;

/**
 * Brings a model's files into a folder that appears when all of them are there, checked and on the disk. Until then they
 * lie in `<folder>.part`; what is there is kept after a failure, and continued. Several processes may ask for the same
 * folder: one works, the others wait for it.
 * @throws AppError `model_missing` (a needed file or the whole model is not there), `model_damaged` (other content than
 *   the hub's checksum), `model_too_large`, `model_unreachable`, `storage_full`, `cancelled`
 */
export async function downloadModel(deps: {
  client: HubClient;
  /** Names the model in messages. */
  name: string;
  folder: string;
  wanted: readonly WantedFile[];
  limits: DownloadLimits;
  onProgress: (progress: DownloadProgress) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { folder, signal } = deps;
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    const isDone = () => isThere(folder);
    await withFolderLock(`${folder}.lock`, { signal, isDone }, () => fetchAll(deps));
  } catch (error) {
    if (signal.aborted) throw cancelled();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('storage_full', `${folder}: the disk is full.`);
    throw error;
  }
}

async function fetchAll(deps: Parameters<typeof downloadModel>[0]): Promise<void> {
  const { client, name, folder, wanted, limits, signal } = deps;
  const part = `${folder}.part`;
  const files: HubFile[] = [];
  for (const { path: file, isNeeded } of wanted) {
    const described = await patiently(deps, () => client.describe(file, signal));
    if (described) files.push(described);
    else if (isNeeded) throw new AppError('model_missing', `${name} has no ${file}: it is no model of this kind.`);
  }
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (totalBytes > limits.maxBytes) {
    const [has, most] = [totalBytes, limits.maxBytes].map((bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`);
    throw new AppError('model_too_large', `${name} has ${has}; at most ${most} are downloaded.`, { retryable: false });
  }
  const kept = new Map<HubFile, number>();
  for (const file of files) kept.set(file, await keptBytes(part, file));
  await mustHaveRoom(
    path.dirname(folder),
    files.reduce((sum, file) => sum + file.bytes - (kept.get(file) ?? 0), 0),
    limits,
  );

  let doneBytes = 0;
  const sums: string[] = [];
  for (const file of files) {
    const report = (bytes: number) => deps.onProgress({ downloadedBytes: doneBytes + bytes, totalBytes });
    sums.push(`${await fetchFile(deps, part, file, report)}  ${file.path}\n`);
    doneBytes += file.bytes;
    report(0);
  }
  await writeFile(path.join(part, 'SHA256SUMS'), sums.join(''), { flush: true });
  await rename(part, folder).catch(async (error: unknown) => {
    // Another machine with the same folder was as far at the same time.
    if (!(await isThere(folder))) throw error;
    await rm(part, { recursive: true, force: true });
  });
  await syncFolder(path.dirname(folder));
}

/** @returns the file's SHA-256 */
async function fetchFile(
  deps: Parameters<typeof downloadModel>[0],
  part: string,
  file: HubFile,
  report: (bytes: number) => void,
): Promise<string> {
  const { client, signal, limits } = deps;
  if (file.bytes === 0) throw new AppError('model_damaged', `${file.path} of ${deps.name} is empty.`);
  const target = path.join(part, file.path);
  const partial = `${target}.part`;
  await mkdir(path.dirname(target), { recursive: true });
  let isSecondTime = false;
  for (;;) {
    const source = (await isThere(target)) ? target : partial;
    if (source === partial) {
      const getOn = async (): Promise<void> => {
        const begin = await sizeOf(partial);
        if (begin === file.bytes) return;
        // Opened before anything comes: what a short connection brings is lost where nobody takes it at once.
        const handle = await open(partial, 'a');
        try {
          const opened = begin < file.bytes ? await client.read(file.path, begin, signal) : null;
          if (!opened || opened.fromByte < begin) await handle.truncate(0);
          // Longer than the file, or refused: of no use.
          if (!opened) throw unreachable(`${file.path} could not be continued.`);
          await append(handle, opened, file, { limits, signal, report });
        } finally {
          await handle.sync().catch(() => {});
          await handle.close();
        }
      };
      await patiently(deps, getOn, () => sizeOf(partial));
    }
    report(file.bytes);
    const hashes = await hashBoth(source);
    const actual = file.checksum.kind === 'sha256' ? hashes.sha256 : hashes.git;
    if (actual === file.checksum.hex) {
      if (source === partial) await rename(partial, target);
      return hashes.sha256;
    }
    // A part of an earlier try may have been damaged: once more from the beginning.
    await rm(source, { force: true });
    if (isSecondTime) {
      throw new AppError(
        'model_damaged',
        `${file.path} of ${deps.name} came with another content than the hub says: ${actual}, not ${file.checksum.hex}.`,
      );
    }
    isSecondTime = true;
  }
}

/** Ends with the whole file, or throws; what has come is in the file either way. */
async function append(
  handle: FileHandle,
  opened: { fromByte: number; content: AsyncIterable<Buffer> },
  file: HubFile,
  options: { limits: DownloadLimits; signal: AbortSignal; report: (bytes: number) => void },
): Promise<void> {
  const { limits, signal, report } = options;
  let bytes = opened.fromByte;
  let since = { ms: performance.now(), bytes };
  let isWriting = false;
  try {
    for await (const block of opened.content) {
      if (bytes + block.length > file.bytes) throw unreachable(`${file.path} does not end where the hub says.`);
      isWriting = true;
      await handle.appendFile(block);
      isWriting = false;
      bytes += block.length;
      if (bytes - since.bytes >= minBytesEachStall) since = { ms: performance.now(), bytes };
      if (performance.now() - since.ms > limits.stallMs) throw unreachable(`${file.path} comes too slowly.`);
      report(bytes);
    }
  } catch (cause) {
    if (cause instanceof AppError || isWriting || signal.aborted) throw cause;
    throw unreachable(`The connection broke off in ${file.path}: ${(cause as Error).message}`, cause);
  }
  if (bytes < file.bytes) throw unreachable(`${file.path} broke off after ${bytes} of ${file.bytes} bytes.`);
}

/**
 * Tries again what the network spoilt, with growing pauses.
 * @param reached how far the work has come, in bytes; who comes further than ever begins to count failures anew
 */
async function patiently<T>(
  { limits, signal }: Parameters<typeof downloadModel>[0],
  work: () => Promise<T>,
  reached: () => Promise<number> = async () => 0,
): Promise<T> {
  let failures = 0;
  let furthest = await reached();
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (signal.aborted || error.code !== 'model_unreachable') throw thrown;
      const bytes = await reached();
      failures = bytes > furthest ? 1 : failures + 1;
      furthest = Math.max(furthest, bytes);
      if (failures >= limits.maxFailures) throw error;
      await sleep(limits.firstDelayMs * 2 ** (failures - 1), undefined, { signal });
    }
  }
}

/** What is on the disk already of a file, whole or not. */
async function keptBytes(part: string, file: HubFile): Promise<number> {
  const target = path.join(part, file.path);
  return Math.min(file.bytes, Math.max(await sizeOf(target), await sizeOf(`${target}.part`)));
}

async function mustHaveRoom(folder: string, neededBytes: number, { spareBytes }: DownloadLimits): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (neededBytes + spareBytes <= freeBytes) return;
  const [needs, free] = [neededBytes, freeBytes].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`);
  throw new AppError('storage_full', `${folder} has ${free} left; ${needs} more are to be downloaded into it.`);
}

/** SHA-256, and git's name of a blob: SHA-1 of "blob", the length, a zero, and the content. */
async function hashBoth(file: string): Promise<{ sha256: string; git: string }> {
  const sha256 = createHash('sha256');
  const git = createHash('sha1').update(`blob ${await sizeOf(file)}\0`);
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20 })) {
    sha256.update(block as Buffer);
    git.update(block as Buffer);
  }
  return { sha256: sha256.digest('hex'), git: git.digest('hex') };
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function isThere(name: string): Promise<boolean> {
  return stat(name).then(
    () => true,
    () => false,
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
