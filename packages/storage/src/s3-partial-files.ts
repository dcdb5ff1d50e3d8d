import { AppError } from '@studymate/contracts/errors';
import { isKeyPart } from './blob-keys.ts';
import type { BufferPlaces } from './buffer-places.ts';
import { createPartBuffer } from './part-buffer.ts';
import { checkLength, type PartialFiles, type PartialWriter } from './partial-files.ts';
import type { S3Client } from './s3-client.ts';
import { createS3Multipart, type S3Part, toPartBytes } from './s3-multipart.ts';
import { createS3Objects, type S3Objects } from './s3-objects.ts';

/** "~" cannot stand in a key, so no blob can lie here. */
const folder = '~uploads/';
/** Which multipart upload the bytes are in: its id. */
const idKey = (id: string) => `${folder}${id}/multipart`;
/**
 * What has come behind so many parts, and is too small to be one. Its length is in its name, so that a late writer
 * cannot replace what another has added since.
 */
const tailKey = (id: string, parts: number, bytes: number) => `${folder}${id}/tail-${parts}-${bytes}`;
/** Says that the parts are about to be put together. Of the object, S3 tells when its upload was begun. */
const madeKey = (id: string) => `${folder}${id}/made`;

/**
 * @param key of the object that a multipart upload is to become
 * @returns the multipart upload that a resumable upload's bytes are in, or null
 */
export async function readPartialId(objects: Pick<S3Objects, 'read'>, key: string): Promise<string | null> {
  const id = key.slice(key.lastIndexOf('/') + 1);
  return isKeyPart(id) ? ((await objects.read(idKey(id)))?.toString('utf8') ?? null) : null;
}

/** @returns null for the key of anything else */
function toTail(key: string): { behind: number; bytes: number } | null {
  const [, behind, bytes] = /\/tail-(\d+)-(\d+)$/.exec(key) ?? [];
  return behind === undefined ? null : { behind: Number(behind), bytes: Number(bytes) };
}

/** How far an upload has come. */
interface State {
  /** Null before the first part. */
  uploadId: string | null;
  parts: S3Part[];
  /** The longest behind these parts. */
  tail: { key: string; bytes: number } | null;
  /** Of every tail, also of those that count no more. */
  tailKeys: string[];
  bytes: number;
  modifiedMs: number;
  /** The parts have been put together: the bytes are in the blob of the name that they were to get. */
  isMade: boolean;
}

/**
 * Partial files beside an S3 blob store: parts of a multipart upload that is to become the blob, and behind them a small
 * object with the bytes that make no part yet. The name of that object says behind how many parts it belongs, so that it
 * counts no more as soon as its bytes have become a part: each step is one write, and a process may die after any. Of
 * several behind the same parts the longest counts: all bytes of an upload come from one file.
 * @param deps.toKey the blob that a file is to become
 * @param deps.maxBytes of the largest file
 * @param deps.places of all that receive uploads in this process
 */
export function createS3PartialFiles(deps: {
  client: S3Client;
  toKey: (id: string) => string;
  maxBytes: number;
  places: BufferPlaces;
}): PartialFiles {
  const { client, places } = deps;
  const objects = createS3Objects(client);
  const multipart = createS3Multipart(client);
  const partBytes = toPartBytes(deps.maxBytes);

  const toKey = (id: string): string => {
    if (!isKeyPart(id)) throw new AppError('internal', 'This is no name of a partial file.', { retryable: false });
    return deps.toKey(id);
  };

  async function readState(id: string): Promise<State> {
    const key = toKey(id);
    const known = new Set<string>();
    let modifiedMs = 0;
    for await (const object of objects.list(`${folder}${id}/`)) {
      known.add(object.key);
      modifiedMs = Math.max(modifiedMs, object.modifiedMs);
    }
    const tailKeys = [...known].filter((name) => toTail(name) !== null);
    const uploadId = known.has(idKey(id)) ? ((await objects.read(idKey(id)))?.toString('utf8') ?? null) : null;
    const parts = uploadId === null ? [] : await multipart.listParts({ key, uploadId });
    if (parts === null) {
      const blob = await objects.stat(key);
      if (blob) {
        const touchedMs = Math.max(modifiedMs, blob.modifiedMs);
        return { uploadId, parts: [], tail: null, tailKeys, bytes: blob.bytes, modifiedMs: touchedMs, isMade: true };
      }
      // Aborted behind our back, as a bucket's rules may do: the upload begins anew.
      await objects.delete(idKey(id));
      return readState(id);
    }
    const sent = parts.reduce((sum, part) => sum + part.bytes, 0);
    let tail: State['tail'] = null;
    for (const tailKey of tailKeys) {
      const { behind, bytes } = toTail(tailKey) ?? { behind: -1, bytes: 0 };
      if (behind === parts.length && bytes > (tail?.bytes ?? 0)) tail = { key: tailKey, bytes };
    }
    return {
      ...{ uploadId, parts, tail, tailKeys, isMade: false },
      bytes: sent + (tail?.bytes ?? 0),
      modifiedMs: Math.max(modifiedMs, ...parts.map((part) => part.modifiedMs)),
    };
  }

  async function readTail({ tail }: State): Promise<Buffer> {
    if (!tail) return Buffer.alloc(0);
    const bytes = await objects.read(tail.key);
    // Another has gone on meanwhile.
    if (bytes?.length !== tail.bytes) {
      throw new AppError('storage_unavailable', 'The upload has changed while it was read.');
    }
    return bytes;
  }

  /** The upload that the next part goes to. Of two that begin at once, the first holds. */
  async function begin(id: string): Promise<string> {
    const key = toKey(id);
    const uploadId = await multipart.begin(key);
    if (await objects.create(idKey(id), Buffer.from(uploadId))) return uploadId;
    await multipart.abort({ key, uploadId });
    return (await objects.read(idKey(id)))?.toString('utf8') ?? uploadId;
  }

  /**
   * Makes the blob of what has come.
   * @returns false when there is nothing to make it of
   * @throws AppError `storage_unavailable` when that is not all of it
   */
  async function make(id: string, state: State, bytes: number): Promise<boolean> {
    const key = toKey(id);
    const { uploadId, parts } = state;
    if (state.bytes === 0) return false;
    if (state.bytes !== bytes) {
      // What a late writer has left, after it was made.
      if (!state.isMade && (await objects.stat(key))?.bytes === bytes) return true;
      checkLength(state.bytes, bytes);
    }
    if (state.isMade) return true;
    const tail = await readTail(state);
    if (uploadId === null || parts.length === 0) {
      await objects.put(key, tail);
      return true;
    }
    const rest = tail.length === 0 ? [] : [await multipart.sendPart({ key, uploadId }, parts.length + 1, tail)];
    await objects.put(madeKey(id), Buffer.alloc(0));
    if (await multipart.complete({ key, uploadId }, [...parts, ...rest])) return true;
    return (await objects.stat(key))?.bytes === bytes;
  }

  /** Removes the parts that are left, and what is known of them; the upload's id last: by it they can be found. */
  async function remove(id: string): Promise<void> {
    const key = toKey(id);
    const keys: string[] = [];
    for await (const object of objects.list(`${folder}${id}/`)) keys.push(object.key);
    if (keys.includes(idKey(id))) {
      const uploadId = (await objects.read(idKey(id)))?.toString('utf8');
      if (uploadId !== undefined) await multipart.abort({ key, uploadId });
    }
    for (const name of keys.filter((name) => name !== idKey(id))) await objects.delete(name);
    if (keys.includes(idKey(id))) await objects.delete(idKey(id));
  }

  async function createWriter(id: string, state: State): Promise<PartialWriter> {
    const key = toKey(id);
    const buffer = createPartBuffer(partBytes);
    let { uploadId } = state;
    let count = state.parts.length;
    let hasNew = false;

    async function fill(bytes: Uint8Array): Promise<void> {
      for (let rest = bytes; rest.length > 0; ) {
        rest = rest.subarray(buffer.add(rest));
        if (!buffer.isFull) continue;
        uploadId ??= await begin(id);
        await multipart.sendPart({ key, uploadId }, count + 1, buffer.peek());
        buffer.clear();
        count++;
      }
    }

    await fill(await readTail(state));
    return {
      async write(bytes) {
        // Before it is taken: what is refused has not come.
        places.hold(buffer, buffer.bytes + bytes.length);
        hasNew = true;
        return fill(bytes);
      },
      async close() {
        const kept = tailKey(id, count, buffer.bytes);
        try {
          if (!hasNew) return;
          if (buffer.bytes > 0) await objects.put(kept, buffer.peek());
        } finally {
          places.release(buffer);
        }
        // They count no more, so they may as well stay until the end.
        const old = state.tailKeys.filter((name) => name !== kept);
        await Promise.allSettled(old.map((name) => objects.delete(name)));
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
      return createWriter(id, state);
    },
    async *read(id, bytes) {
      const state = await readState(id);
      if (state.parts.length === 0 && !state.isMade && state.bytes === bytes) {
        yield await readTail(state);
        return;
      }
      // Parts can be read only once they are put together.
      if (!(await make(id, state, bytes))) throw new AppError('not_found', 'There is no such file.');
      yield* objects.stream(toKey(id));
    },
    async publish(id, key, bytes) {
      if (key !== toKey(id)) throw new AppError('internal', 'A partial file becomes the blob of its own name.');
      const isThere = await make(id, await readState(id), bytes);
      if (isThere) await remove(id);
      return isThere;
    },
    remove,
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
