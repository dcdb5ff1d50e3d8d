import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createId } from '@studymate/contracts/ids';
import type { S3Place } from '@studymate/contracts/places';
import { createBufferPlaces } from '@studymate/storage/buffer-places';
import { mediaKey } from '@studymate/storage/lecture-keys';
import { createS3BlobStore } from '@studymate/storage/s3-blob-store';
import { createS3Client } from '@studymate/storage/s3-client';
import { createS3Multipart } from '@studymate/storage/s3-multipart';
import { createS3PartialFiles } from '@studymate/storage/s3-partial-files';
import { explainStoreFault } from '@studymate/storage/store-fault';
import { afterAll, describe, expect, test } from 'vitest';
import { describeBlobStore } from '../../packages/storage/test/blob-store-conformance.ts';
import { describeTranscriptEdits } from '../../packages/storage/test/transcript-edit-conformance.ts';
import { startS3Server } from './support/s3-server.ts';

const started = await startS3Server();
const server = started instanceof Error ? null : started;
afterAll(() => server?.close());

const places = createBufferPlaces(2 ** 23);
const open = (options: S3Place, tempDir: string) =>
  createS3BlobStore({ client: createS3Client(options), tempDir, maxBlobBytes: 2 ** 32, places });

/** Keys of uploads in parts that are neither whole nor given up. */
async function listUnfinished(options: S3Place): Promise<string[]> {
  const client = createS3Client(options);
  const keys: string[] = [];
  for await (const { key } of createS3Multipart(client).listUploads()) keys.push(key);
  client.close();
  return keys;
}

describe.skipIf(!server)(`an S3 store (skipped where its server cannot be had: ${started})`, () => {
  const options = server?.options ?? ({} as S3Place);

  const openStore = async () => {
    const tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-s3-'));
    // Each test has a place of its own in the bucket, as several installations would have.
    const own = { ...options, prefix: `${createId()}/` };
    const store = await open(own, tempDir);
    const second = await open(own, tempDir);
    return {
      store,
      second,
      async dispose() {
        await store.close();
        await second.close();
        // The store itself must have left no local copy, in any of the tests.
        expect(await readdir(tempDir)).toEqual([]);
        await rm(tempDir, { recursive: true });
      },
    };
  };
  describeBlobStore('S3', openStore);
  describeTranscriptEdits('S3', openStore);

  test.for([
    ['no such bucket', { bucket: 'studymate-other' }, 'NoSuchBucket'],
    ['a wrong secret', { secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'AKIAWRONG' }, 'InvalidAccessKeyId'],
  ] as const)('opened with %s: refused, and why', async ([_, wrong, why]) => {
    const error = await open({ ...options, ...wrong }, tmpdir()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'storage_unavailable', message: `The store cannot be used (${why}).` });
    const { bucket, endpoint } = { ...options, ...wrong };
    expect(explainStoreFault(error)).toContain(`${bucket} at ${new URL(endpoint).host}: ${why}`);
  });

  test('a stream of many parts: is whole, in ranges too; one that fails in between leaves no parts', async () => {
    const tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-s3-'));
    const own = { ...options, prefix: `${createId()}/` };
    const store = await open(own, tempDir);
    try {
      const bytes = randomBytes(12_000_000);
      async function* pieces(end = bytes.length) {
        for (let at = 0; at < end; at += 700_000) yield bytes.subarray(at, Math.min(at + 700_000, end));
        if (end < bytes.length) throw new Error('the line was cut');
      }
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(await store.put('media/whole', pieces())).toEqual({ bytes: bytes.length, sha256 });
      const middle = await buffer(store.stream('media/whole', { start: 5_242_870, end: 5_242_890 }));
      expect(middle).toEqual(bytes.subarray(5_242_870, 5_242_891));
      const local = await store.openLocal('media/whole');
      expect((await readFile(local.path)).equals(bytes)).toBe(true);
      await local.release();
      expect(await readdir(tempDir)).toEqual([]);
      await expect(store.put('media/cut', pieces(8_000_000))).rejects.toThrow('the line was cut');
      expect(await store.list('')).toEqual(['media/whole']);
      expect(await listUnfinished(own)).toEqual([]);
    } finally {
      await store.close();
      await rm(tempDir, { recursive: true });
    }
  });

  test('parts whose sender died: are removed, but not those of a resumable upload', async () => {
    const tempDir = await mkdtemp(path.join(tmpdir(), 'studymate-s3-'));
    const own = { ...options, prefix: `${createId()}/` };
    const client = createS3Client(own);
    const store = await open(own, tempDir);
    const partials = createS3PartialFiles({ client, toKey: mediaKey, maxBytes: 2 ** 32, places });
    try {
      // The server says of every upload that it was begun in 2010.
      await createS3Multipart(client).begin('media/dead');
      const writer = await partials.append('alive', 0);
      await writer.write(Buffer.alloc(6_000_000));
      await writer.close();
      expect(await store.removeAbandoned()).toBe(1);
      expect(await listUnfinished(own)).toEqual(['media/alive']);
      expect(await partials.stat('alive')).toMatchObject({ bytes: 6_000_000 });
    } finally {
      client.close();
      await store.close();
      await rm(tempDir, { recursive: true });
    }
  });
});
