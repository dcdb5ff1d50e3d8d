import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { createId } from '@studymate/contracts/ids';
import type { S3Place } from '@studymate/contracts/places';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createBufferPlaces } from '@studymate/storage/buffer-places';
import { mediaKey } from '@studymate/storage/lecture-keys';
import { createS3BlobStore } from '@studymate/storage/s3-blob-store';
import { createS3Client, type S3Client } from '@studymate/storage/s3-client';
import { createS3Multipart } from '@studymate/storage/s3-multipart';
import { createS3Objects } from '@studymate/storage/s3-objects';
import { createS3PartialFiles } from '@studymate/storage/s3-partial-files';
import { createUploadStore, type UploadStore } from '@studymate/storage/upload-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3Server } from './support/s3-server.ts';

const started = await startS3Server();
const server = started instanceof Error ? null : started;

const places = createBufferPlaces(2 ** 23);
const megabyte = 1_000_000;
/** More than one part of 5 MiB. */
const sound = randomBytes(7 * megabyte);
const soundSha256 = createHash('sha256').update(sound).digest('hex');

/** A process that dies at one of its requests: before that was sent, or after it was carried out. */
function dyingClient(client: S3Client, at: number, when: 'before' | 'after') {
  let requests = 0;
  let hasDied = false;
  const die = async (carryOut: () => Promise<unknown>): Promise<boolean> => {
    if (!hasDied && ++requests === at) {
      hasDied = true;
      if (when === 'after') await carryOut().catch(() => {});
    }
    return hasDied;
  };
  const mortal: S3Client = {
    ...client,
    async send(request, options) {
      if (await die(() => client.send(request, options))) throw new Error('dead');
      return client.send(request, options);
    },
    async open(request) {
      if (await die(async () => (await client.open(request)).destroy())) throw new Error('dead');
      return client.open(request);
    },
  };
  return { client: mortal, hasDied: () => hasDied };
}

describe.skipIf(!server)(`uploads in a bucket (skipped where its server cannot be had: ${started})`, () => {
  let client: S3Client;
  let blobs: BlobStore;
  let uploads: UploadStore;
  const openUploads = (through: S3Client): UploadStore => {
    const partials = createS3PartialFiles({ client: through, toKey: mediaKey, maxBytes: 2 ** 32, places });
    return createUploadStore({ blobs, partials });
  };
  beforeAll(async () => {
    client = createS3Client({ ...(server?.options as S3Place), prefix: 'uploads/' });
    blobs = await createS3BlobStore({ client, tempDir: tmpdir(), maxBlobBytes: 2 ** 32, places });
    uploads = openUploads(client);
  });
  afterAll(async () => {
    await blobs?.close();
    await server?.close();
  });

  async function begin(bytes = sound.length) {
    const upload = { owner: 'ada', id: createId(), bytes };
    await uploads.create({ ...upload, metadata: {} });
    return upload;
  }

  async function append(to: UploadStore, upload: { id: string }, from: number, end: number): Promise<void> {
    const writer = await to.append(upload, from);
    try {
      for (let at = from; at < end; at += megabyte)
        await writer.write(sound.subarray(at, Math.min(at + megabyte, end)));
    } finally {
      await writer.close();
    }
  }

  /** What uploads leave, but for what a dead process began and could not note, which is collected. */
  async function listLeft(): Promise<string[]> {
    await blobs.removeAbandoned();
    const left: string[] = [];
    for await (const { key } of createS3Objects(client).list('~uploads/')) left.push(key);
    for await (const { key } of createS3Multipart(client).listUploads()) left.push(key);
    return left;
  }

  async function expectMedia(upload: Awaited<ReturnType<typeof begin>>): Promise<void> {
    expect(await uploads.finish(upload)).toBe(soundSha256);
    expect(await uploads.publish(upload)).toBe(true);
    expect(Buffer.compare((await blobs.read(mediaKey(upload.id))) ?? Buffer.alloc(0), sound)).toBe(0);
    await uploads.remove('ada', upload.id);
    await blobs.delete(mediaKey(upload.id));
    expect(await listLeft()).toEqual([]);
  }

  test('in parts, through two processes: says how far it is, and a part at a wrong place is refused', async () => {
    const upload = await begin();
    expect((await uploads.read('ada', upload.id))?.offset).toBe(0);
    await append(uploads, upload, 0, 100);
    await append(openUploads(client), upload, 100, 6 * megabyte);
    expect((await uploads.read('ada', upload.id))?.offset).toBe(6 * megabyte);
    await expect(uploads.append(upload, 100)).rejects.toMatchObject({
      code: 'offset_mismatch',
      details: { offset: 6 * megabyte },
    });
    expect(await blobs.stat(mediaKey(upload.id))).toBeNull();
    await append(uploads, upload, 6 * megabyte, sound.length);
    await expectMedia(upload);
  });

  test('smaller than a part, and removed ones: leave nothing behind', async () => {
    const [small, removed] = [await begin(1000), await begin()];
    await append(uploads, small, 0, 1000);
    expect(await uploads.finish(small)).toBe(createHash('sha256').update(sound.subarray(0, 1000)).digest('hex'));
    expect(await uploads.publish(small)).toBe(true);
    expect(await blobs.read(mediaKey(small.id))).toEqual(sound.subarray(0, 1000));
    await append(uploads, removed, 0, 6 * megabyte);
    expect(await uploads.remove('ada', removed.id)).toBe(true);
    await uploads.remove('ada', small.id);
    await blobs.delete(mediaKey(small.id));
    expect(await listLeft()).toEqual([]);
  });

  test('whose parts a rule of the bucket took: begins anew', async () => {
    const upload = await begin();
    await append(uploads, upload, 0, 6 * megabyte);
    const multipart = createS3Multipart(client);
    for await (const each of multipart.listUploads()) await multipart.abort(each);
    expect((await uploads.read('ada', upload.id))?.offset).toBe(0);
    await append(uploads, upload, 0, sound.length);
    await expectMedia(upload);
  });

  describe.each(['before', 'after'] as const)('a process that dies %s each of its requests in turn', (when) => {
    test('while it receives: the next one goes on, from a place that was told or later, and the bytes are right', async () => {
      for (let at = 1; ; at++) {
        const upload = await begin();
        await append(uploads, upload, 0, 3 * megabyte);
        const dying = dyingClient(client, at, when);
        await append(openUploads(dying.client), upload, 3 * megabyte, sound.length).catch(() => {});
        const { offset = -1 } = (await uploads.read('ada', upload.id)) ?? {};
        expect(offset).toBeGreaterThanOrEqual(3 * megabyte);
        if (offset < sound.length) await append(uploads, upload, offset, sound.length);
        await expectMedia(upload);
        if (!dying.hasDied()) {
          expect(at).toBeGreaterThan(5);
          break;
        }
      }
    });
  });
});
