import { AppError } from '@studymate/contracts/errors';
import { isKeyPart } from './blob-keys.ts';
import { createPartBuffer } from './part-buffer.ts';
import type { PartialFiles, PartialWriter } from './partial-files.ts';
import type { S3Client } from './s3-client.ts';
import { createS3Multipart, type S3Part, toPartBytes } from './s3-multipart.ts';
import { createS3Objects, type S3Objects } from './s3-objects.ts';

/** "~" cannot stand in a key, so no blob can lie here. */
const folder = '~uploads/';
/** Which multipart upload the bytes are in: its id. */
const idKey = (id: string) => `${folder}${id}/multipart`;
/** What has come behind so many parts, and is too small to be one. */
const tailKey = (id: string, parts: number) => `${folder}${id}/tail-${parts}`;

/**
 * @param key of the object that a multipart upload is to become
 * @returns the multipart upload that a resumable upload's bytes are in, or null
 */
export async function readPartialId(objects: Pick<S3Objects, 'read'>, key: string): Promise<string | null> {
  const id = key.slice(key.lastIndexOf('/') + 1);
  return isKeyPart(id) ? ((await objects.read(idKey(id)))?.toString('utf8') ?? null) : null;
}

/** How far an upload has come. */
interface State {
  /** Null before the first part. */
  uploadId: string | null;
  parts: S3Part[];
  tail: { bytes: number; modifiedMs: number } | null;
  bytes: number;
  modifiedMs: number;
  /** The parts have been put together: the bytes are in the blob of the name that they were to get. */
  isMade: boolean;
}

/**
 * Partial files beside an S3 blob store: parts of a multipart upload that is to become the blob, and behind them a small
 * object with the bytes that make no part yet. The name of that object says behind how many parts it belongs, so that it
 * counts no more as soon as its bytes have become a part: each step is one write, and a process may die after any.
 * @param deps.toKey the blob that a file is to become
 * @param deps.maxBytes of the largest file
 */
export function createS3PartialFiles(deps: {
  client: S3Client;
  toKey: (id: string) => string;
  maxBytes: number;
}): PartialFiles {
  const { client } = deps;
  const objects = createS3Objects(client);
  const multipart = createS3Multipart(client);
  const partBytes = toPartBytes(deps.maxBytes);

  const toKey = (id: string): string => {
    if (!isKeyPart(id)) throw new AppError('internal', 'This is no name of a partial file.', { retryable: false });
    return deps.toKey(id);
  };

  async function readState(id: string): Promise<State> {
    const key = toKey(id);
    const uploadId = (await objects.read(idKey(id)))?.toString('utf8') ?? null;
    const parts = uploadId === null ? [] : await multipart.listParts({ key, uploadId });
    if (parts === null) {
      const blob = await objects.stat(key);
      if (blob) return { uploadId, parts: [], tail: null, ...blob, isMade: true };
      // Aborted behind our back, as a bucket's rules may do: the upload begins anew.
      await objects.delete(idKey(id));
      return readState(id);
    }
    const tail = await objects.stat(tailKey(id, parts.length));
    const bytes = parts.reduce((sum, part) => sum + part.bytes, tail?.bytes ?? 0);
    const modifiedMs = Math.max(tail?.modifiedMs ?? 0, ...parts.map((part) => part.modifiedMs));
    return { uploadId, parts, tail, bytes, modifiedMs, isMade: false };
  }

  async function readTail(id: string, { parts, tail }: State): Promise<Buffer> {
    return (tail && (await objects.read(tailKey(id, parts.length)))) ?? Buffer.alloc(0);
  }

  /** The upload that the next part goes to. Of two that begin at once, the first holds. */
  async function begin(id: string): Promise<string> {
    const key = toKey(id);
    const uploadId = await multipart.begin(key);
    if (await objects.create(idKey(id), Buffer.from(uploadId))) return uploadId;
    await multipart.abort({ key, uploadId });
    return (await objects.read(idKey(id)))?.toString('utf8') ?? uploadId;
  }

  /** Makes the blob of what has come. @returns false when there is nothing to make it of */
  async function make(id: string, state: State): Promise<boolean> {
    const key = toKey(id);
    const { uploadId, parts } = state;
    if (state.isMade) return true;
    if (state.bytes === 0) return false;
    const tail = await readTail(id, state);
    if (uploadId === null || parts.length === 0) {
      await objects.put(key, tail);
      // Begun by a process that died before it had sent a part.
      if (uploadId !== null) await multipart.abort({ key, uploadId });
      return true;
    }
    const rest = tail.length === 0 ? [] : [await multipart.sendPart({ key, uploadId }, parts.length + 1, tail)];
    if (await multipart.complete({ key, uploadId }, [...parts, ...rest])) return true;
    return (await objects.stat(key))?.bytes === state.bytes;
  }

  async function* listOf(id: string): AsyncGenerator<string> {
    for await (const { key } of objects.list(`${folder}${id}/`)) yield key;
  }

  /** Removes what is known of the parts, the upload's id last: by it they can be found. */
  async function forget(id: string): Promise<void> {
    const keys: string[] = [];
    for await (const key of listOf(id)) if (key !== idKey(id)) keys.push(key);
    for (const key of [...keys, idKey(id)]) await objects.delete(key);
  }

  function createWriter(id: string, state: State, tail: Buffer): PartialWriter {
    const key = toKey(id);
    const buffer = createPartBuffer(partBytes);
    buffer.add(tail);
    let { uploadId } = state;
    let count = state.parts.length;
    let hasNew = false;
    return {
      async write(bytes) {
        buffer.add(bytes);
        hasNew = true;
        for (let part = buffer.peekFull(); part; part = buffer.peekFull()) {
          uploadId ??= await begin(id);
          await multipart.sendPart({ key, uploadId }, count + 1, part);
          buffer.drop(part.length);
          count++;
        }
      },
      async close() {
        if (!hasNew) return;
        if (buffer.bytes > 0) await objects.put(tailKey(id, count), buffer.peekAll());
        // What has become a part since. It counts no more, so it may as well stay until the end.
        if (state.tail && count > state.parts.length) {
          await objects.delete(tailKey(id, state.parts.length)).catch(() => undefined);
        }
      },
    };
  }

  return {
    async stat(id) {
      const { bytes, modifiedMs } = await readState(id);
      return bytes === 0 ? null : { bytes, modifiedMs };
    },
    async append(id, offset) {
      const state = await readState(id);
      if (state.bytes !== offset) {
        throw new AppError('offset_mismatch', `The upload has ${state.bytes} bytes so far.`, {
          details: { offset: state.bytes },
        });
      }
      return createWriter(id, state, await readTail(id, state));
    },
    async *read(id) {
      const state = await readState(id);
      if (state.parts.length === 0 && !state.isMade) {
        if (!state.tail) throw new AppError('not_found', 'There is no such file.');
        yield await readTail(id, state);
        return;
      }
      // Parts can be read only once they are put together.
      if (!(await make(id, state))) throw new AppError('not_found', 'There is no such file.');
      yield* objects.stream(toKey(id));
    },
    async publish(id, key) {
      if (key !== toKey(id)) throw new AppError('internal', 'A partial file becomes the blob of its own name.');
      const isThere = await make(id, await readState(id));
      if (isThere) await forget(id);
      return isThere;
    },
    async remove(id) {
      const key = toKey(id);
      const uploadId = (await objects.read(idKey(id)))?.toString('utf8');
      if (uploadId !== undefined) await multipart.abort({ key, uploadId });
      await forget(id);
    },
    async listOlder(thanMs) {
      const newest = new Map<string, number>();
      for await (const { key, modifiedMs } of objects.list(folder)) {
        const [, id = ''] = key.split('/');
        newest.set(id, Math.max(newest.get(id) ?? 0, modifiedMs));
      }
      const old: string[] = [];
      for (const [id, touchedMs] of newest) {
        if (!isKeyPart(id) || touchedMs >= thanMs) continue;
        // Parts are no objects: they may have come later.
        const { modifiedMs } = await readState(id);
        if (modifiedMs < thanMs) old.push(id);
      }
      return old;
    },
  };
}
