import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@studymate/contracts/errors';
import { parseKey, parsePrefix } from './blob-keys.ts';
import type { BlobStore, WrittenBlob } from './blob-store.ts';
import type { BufferPlaces } from './buffer-places.ts';
import { inBatches } from './in-batches.ts';
import { createLocalCopies } from './local-copies.ts';
import { createPartBuffer } from './part-buffer.ts';
import { isLasting, type S3Client, S3Refusal } from './s3-client.ts';
import { createS3Multipart, type S3Part, toPartBytes } from './s3-multipart.ts';
import { createS3Objects } from './s3-objects.ts';
import { readPartialId } from './s3-partial-files.ts';
import { checkRange, createStoreCalls, withSource } from './store-calls.ts';

const streamBufferBytes = 256 * 1024;
/** "~" cannot stand in a key, so no blob can have this name. */
const probeKey = '~check';
/** How long the opening waits for the server; then it goes on by itself. */
const defaultGraceMs = 2_000;
/** A request ends long before; what is older has no writer any more. */
const abandonedMs = 24 * 3_600_000;

export interface S3BlobStoreOptions {
  /** Is closed with the store. */
  client: S3Client;
  /** For local copies of blobs. Made when the first is needed. */
  tempDir: string;
  /** Of the largest blob, from which the size of an upload's parts follows. */
  maxBlobBytes: number;
  /** Of all that receive uploads in this process. */
  places: BufferPlaces;
  graceMs?: number;
  watch?: StoreWatch;
}

/** Told once of what operators should know. */
export interface StoreWatch {
  /** A check has failed, or something cannot be done that has its use. */
  onFault(error: unknown): void;
  /** A check has gone well again. */
  onBack(): void;
}

/**
 * A blob store in an S3 bucket. An object is whole or absent by itself; `create` is a conditional write
 * (`If-None-Match: *`), which a server must honour: one that does not is refused. A stream is sent in parts of some
 * megabytes, which are an object once all have come.
 *
 * A key can be a blob and the prefix of other blobs at once here, unlike in a folder; nobody should make use of it.
 *
 * Throws `storage_full` when there is no room, `storage_unavailable` when the bucket cannot be used, and
 * `invalid_request` for what is not a key. When it is opened, what is wrong for good (no such bucket, keys that are
 * refused or may not do all that is needed, conditions that are not honoured, no TLS) is thrown; a server that is merely
 * away is waited for, and until it has shown that it honours conditions nothing is created.
 */
export async function createS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const { client, places } = options;
  const objects = createS3Objects(client);
  const multipart = createS3Multipart(client);
  const partBytes = toPartBytes(options.maxBlobBytes);
  const copies = createLocalCopies({ dir: options.tempDir });
  const { run, close } = createStoreCalls((action) => action());
  let isProven = false;
  let isAway = false;
  let checking: Promise<void> | undefined;
  let hasToldOfUploads = false;

  const toKey = (key: string): string => parseKey(key).join('/');

  async function putStream(key: string, source: AsyncIterable<Uint8Array>): Promise<WrittenBlob> {
    const hash = createHash('sha256');
    const buffer = createPartBuffer(partBytes);
    const parts: S3Part[] = [];
    let bytes = 0;
    let uploadId: string | undefined;
    try {
      for await (const piece of source) {
        if (!(piece instanceof Uint8Array)) throw new TypeError('The source of a blob must give bytes.');
        hash.update(piece);
        bytes += piece.length;
        for (let rest = piece; rest.length > 0; ) {
          rest = rest.subarray(buffer.add(rest));
          places.hold(buffer, buffer.bytes);
          if (!buffer.isFull) continue;
          uploadId ??= await multipart.begin(key);
          parts.push(await multipart.sendPart({ key, uploadId }, parts.length + 1, buffer.peek()));
          buffer.clear();
        }
      }
      const rest = buffer.peek();
      if (uploadId === undefined) await objects.put(key, rest);
      else {
        if (rest.length > 0) parts.push(await multipart.sendPart({ key, uploadId }, parts.length + 1, rest));
        const isMade = await multipart.complete({ key, uploadId }, parts);
        // A repeated request finds the upload gone when the first one was carried out.
        if (!isMade && (await objects.stat(key))?.bytes !== bytes) {
          throw new AppError('storage_unavailable', 'The upload to the store is gone.');
        }
      }
      return { bytes, sha256: hash.digest('hex') };
    } catch (thrown) {
      // What cannot be removed now is found by `removeAbandoned`.
      if (uploadId !== undefined) await multipart.abort({ key, uploadId }).catch(() => undefined);
      throw thrown;
    } finally {
      places.release(buffer);
    }
  }

  async function put(key: string, body: Uint8Array): Promise<WrittenBlob> {
    await objects.put(key, body);
    return { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
  }

  async function* readRange(key: string, range?: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    checkRange(range);
    yield* await run(async () => objects.stream(toKey(key), range));
  }

  async function* walkOlder(prefix: string, thanMs: number): AsyncGenerator<string> {
    const isOlder = (modifiedMs: number) => thanMs === Number.POSITIVE_INFINITY || modifiedMs < thanMs;
    const parts = parsePrefix(prefix);
    const keys = objects.list(parts.length === 0 ? '' : `${parts.join('/')}/`);
    for (;;) {
      const next = await run(() => keys.next());
      if (next.done) return;
      // What is not ours, and what is not whole yet.
      if (isOlder(next.value.modifiedMs) && isKey(next.value.key)) yield next.value.key;
    }
  }

  const walk = (prefix: string) => walkOlder(prefix, Number.POSITIVE_INFINITY);

  async function list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of walk(prefix)) keys.push(key);
    return keys;
  }

  async function prove(): Promise<void> {
    const proof = randomBytes(32);
    await objects.put(probeKey, proof);
    const read = await objects.read(probeKey);
    // Another process may have written its own proof in between.
    if (read?.length !== proof.length) {
      throw new AppError('storage_unavailable', 'The store does not give back what was written.');
    }
    if (isProven) return;
    if (await objects.create(probeKey, proof)) {
      const why = 'its server does not honour If-None-Match on PUT, without which writers overwrite each other';
      const cause = new S3Refusal(`the bucket ${client.name}: ${why}`);
      throw new AppError('storage_unavailable', 'The store cannot be used (it ignores conditions).', { cause });
    }
    // What else the key must be allowed to do.
    await objects.list(probeKey).next();
    await objects.delete(`${probeKey}-delete`);
    const upload = { key: probeKey, uploadId: await multipart.begin(probeKey) };
    await multipart.listParts(upload);
    await multipart.abort(upload);
    isProven = true;
  }

  /** One at a time: a server that hangs must not be asked by every probe anew. */
  function check(): Promise<void> {
    checking ??= prove()
      .then(
        () => {
          if (isAway) options.watch?.onBack();
          isAway = false;
        },
        (thrown) => {
          if (!isAway) options.watch?.onFault(thrown);
          isAway = true;
          throw thrown;
        },
      )
      .finally(() => {
        checking = undefined;
      });
    return checking;
  }

  async function abortAbandoned(): Promise<number> {
    const newestMs = Date.now() - abandonedMs;
    let removed = 0;
    for await (const { begunMs, ...upload } of multipart.listUploads()) {
      if (!(isKey(upload.key) || upload.key === probeKey) || !(begunMs < newestMs)) continue;
      // What belongs to a resumable upload goes with that.
      if ((await readPartialId(objects, upload.key)) === upload.uploadId) continue;
      await multipart.abort(upload);
      removed++;
    }
    return removed;
  }

  async function removeAbandoned(): Promise<number> {
    const copied = await copies.sweep();
    try {
      return copied + (await abortAbandoned());
    } catch (thrown) {
      if (!(thrown instanceof AppError && thrown.cause instanceof S3Refusal)) throw thrown;
      // A rule of the bucket can do it as well.
      if (!hasToldOfUploads) options.watch?.onFault(thrown);
      hasToldOfUploads = true;
      return copied;
    }
  }

  const proof = run(check);
  try {
    await Promise.race([proof, delay(options.graceMs ?? defaultGraceMs, undefined, { ref: false })]);
  } catch (thrown) {
    if (isLasting(thrown)) {
      client.close();
      throw thrown;
    }
  }
  // Who uses the store meets what comes of it.
  proof.catch(() => undefined);

  return {
    async put(key, body) {
      if (body instanceof Uint8Array) return run(async () => put(toKey(key), body));
      return withSource(body, (watched) => run(async () => putStream(toKey(key), watched)));
    },
    create: (key, body) =>
      run(async () => {
        const name = toKey(key);
        if (!isProven) await check();
        return objects.create(name, body);
      }),
    read: (key) => run(async () => objects.read(toKey(key))),
    stream: (key, range) =>
      Readable.from(readRange(key, range), { objectMode: false, highWaterMark: streamBufferBytes }),
    stat: (key) => run(async () => objects.stat(toKey(key))),
    list,
    walk,
    walkOlder,
    delete: (key) => run(async () => objects.delete(toKey(key))),
    async deletePrefix(prefix) {
      if (parsePrefix(prefix).length === 0) throw new AppError('invalid_request', 'The whole store is not deleted.');
      await inBatches(await list(prefix), (key) => run(() => objects.delete(key)));
    },
    openLocal: (key, { signal } = {}) =>
      run(async () => {
        const stat = await objects.stat(toKey(key));
        if (!stat) throw new AppError('not_found', 'There is no such blob.');
        return copies.open(stat.bytes, () => objects.stream(key), signal);
      }),
    check: () => run(check),
    removeAbandoned: () => run(removeAbandoned),
    async close() {
      await close();
      client.close();
    },
  };
}

function isKey(text: string): boolean {
  try {
    parseKey(text);
    return true;
  } catch {
    return false;
  }
}
