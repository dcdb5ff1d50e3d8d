import { createHash, randomBytes } from 'node:crypto';
import { createId } from '@studymate/contracts/ids';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { mediaKey } from '../src/lecture-keys.ts';
import type { OpenStore } from '../src/open-store.ts';
import { openS3Store } from '../src/s3-store.ts';
import { createUploadStore, type UploadStore } from '../src/upload-store.ts';
import { type MemoryS3, startMemoryS3 } from './support/memory-s3.ts';

const hourMs = 3_600_000;
/** Two parts and a tail. */
const sound = randomBytes(12_000_000);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let s3: MemoryS3;
let store: OpenStore;
let blobs: BlobStore;
let uploads: UploadStore;

beforeEach(async () => {
  s3 = await startMemoryS3();
  // Nothing is copied here.
  const tempDir = '/nowhere';
  store = await openS3Store({ ...s3.options, tempDir, maxBlobBytes: 2 ** 32, toUploadKey: mediaKey });
  blobs = store.blobs;
  uploads = createUploadStore(store);
});
afterEach(async () => {
  await blobs.close();
  await s3.close();
});

async function begin(bytes = sound.length) {
  const upload = { owner: 'ada', id: createId(), bytes };
  await uploads.create({ ...upload, metadata: {} });
  return upload;
}

async function append(upload: { id: string }, start: number, end: number): Promise<void> {
  const writer = await uploads.append(upload, start);
  for (let at = start; at < end; at += 700_000) await writer.write(sound.subarray(at, Math.min(at + 700_000, end)));
  await writer.close();
}

const listPartials = () => [...s3.objects.keys()].filter((key) => key.startsWith('~uploads/'));
const readMedia = (id: string) => s3.objects.get(mediaKey(id))?.body ?? Buffer.alloc(0);
const offsetOf = async (id: string) => (await uploads.read('ada', id))?.offset;

describe('an upload to a bucket', () => {
  it('in parts of any size: says how far it is, and becomes media, as often as one likes', async () => {
    const upload = await begin();
    const ends = [1_000_000, 5_242_880, 6_000_000, 11_000_000, sound.length];
    for (const [i, end] of ends.entries()) {
      const start = ends[i - 1] ?? 0;
      await append(upload, start, end);
      expect(await offsetOf(upload.id)).toBe(end);
      await expect(uploads.append(upload, start)).rejects.toMatchObject({
        code: 'offset_mismatch',
        details: { offset: end },
      });
    }
    expect(await uploads.finish(upload)).toBe(sha256(sound));
    for (let i = 0; i < 2; i++) {
      expect(await uploads.publish(upload)).toBe(true);
      expect(readMedia(upload.id).equals(sound)).toBe(true);
      expect(listPartials()).toEqual([]);
      expect(s3.uploads.size).toBe(0);
    }
  });

  it.each([4_000_000, sound.length])(
    'of %i bytes, one of whose writers has lost the lock and ends last: stays whole',
    async (bytes) => {
      const upload = await begin(bytes);
      const late = await uploads.append(upload, 0);
      await late.write(sound.subarray(0, 1_000_000));
      await append(upload, 0, bytes);
      await late.close();
      expect(await offsetOf(upload.id)).toBe(bytes);
      expect(await uploads.finish(upload)).toBe(sha256(sound.subarray(0, bytes)));
      expect(await uploads.publish(upload)).toBe(true);
      expect(readMedia(upload.id).equals(sound.subarray(0, bytes))).toBe(true);
    },
  );

  it('whose late writer ends when it is media: is not made anew of less', async () => {
    const upload = await begin(4_000_000);
    const late = await uploads.append(upload, 0);
    await late.write(sound.subarray(0, 1_000_000));
    await append(upload, 0, 4_000_000);
    await uploads.finish(upload);
    expect(await uploads.publish(upload)).toBe(true);
    await late.close();
    expect(await uploads.publish(upload)).toBe(true);
    expect(readMedia(upload.id)).toHaveLength(4_000_000);
    expect(listPartials()).toEqual([]);
  });

  it.each([4_000_000, sound.length])(
    'that has lost some of its %i bytes: is refused, and no media is made',
    async (bytes) => {
      const upload = await begin(bytes);
      await append(upload, 0, bytes);
      for (const key of listPartials()) if (key.includes('/tail-')) s3.objects.delete(key);
      await append(upload, (await uploads.read('ada', upload.id))?.offset ?? 0, bytes - 1);
      const refused = { code: 'storage_unavailable' };
      await expect(uploads.finish(upload)).rejects.toMatchObject(refused);
      await expect(uploads.publish(upload)).rejects.toMatchObject(refused);
      expect(readMedia(upload.id)).toHaveLength(0);
    },
  );

  it('that is finished, in parts, and removed: leaves nothing in the bucket; as media of a lecture it stays', async () => {
    const [removed, made] = [await begin(), await begin()];
    for (const upload of [removed, made]) {
      await append(upload, 0, 6_000_000);
      await append(upload, 6_000_000, sound.length);
      await uploads.finish(upload);
    }
    await uploads.claimLecture(made, createId());
    await uploads.publish(made);
    for (const { id } of [removed, made]) expect(await uploads.remove('ada', id)).toBe(true);
    expect(await blobs.list('')).toEqual([mediaKey(made.id)]);
    expect(listPartials()).toEqual([]);
  });

  it('that has expired: goes with its bytes, whether they are one object by then or not', async () => {
    for (const isFinished of [true, false]) {
      const upload = await begin();
      await append(upload, 0, 6_000_000);
      await append(upload, 6_000_000, sound.length);
      if (isFinished) await uploads.finish(upload);
    }
    const ttlMs = 24 * hourMs;
    expect(await uploads.collectExpired({ ttlMs, nowMs: Date.now() + 24.9 * hourMs })).toBe(0);
    expect(await uploads.collectExpired({ ttlMs, nowMs: Date.now() + 25.1 * hourMs })).toBe(2);
    expect([...s3.objects.keys()].filter((key) => !key.startsWith('~check'))).toEqual([]);
    expect(s3.uploads.size).toBe(0);
  });

  it('begun long ago, whose process died between the whole object and its hash: was touched just now', async () => {
    const upload = await begin();
    await append(upload, 0, sound.length);
    for (const begun of s3.uploads.values()) begun.begunMs -= 30 * hourMs;
    for (const [key, kept] of s3.objects) if (key.startsWith('~uploads/')) kept.modifiedMs -= 30 * hourMs;
    const startedMs = Date.now();
    s3.intercept = ({ method, key }) => (method === 'GET' && key === mediaKey(upload.id) ? 'AccessDenied' : null);
    await expect(uploads.finish(upload)).rejects.toMatchObject({ code: 'storage_unavailable' });
    s3.intercept = () => null;
    expect((await uploads.read('ada', upload.id))?.touchedMs).toBeGreaterThanOrEqual(startedMs - 1_000);
    await uploads.collectExpired({ ttlMs: 24 * hourMs });
    expect(await uploads.finish(upload)).toBe(sha256(sound));
  });

  it('whose process dies at each request in turn while it becomes media: the next one does the rest', async () => {
    for (let at = 1; ; at++) {
      const upload = await begin(6_000_000);
      await append(upload, 0, 5_500_000);
      await append(upload, 5_500_000, 6_000_000);
      let left = at;
      s3.intercept = () => (--left > 0 ? null : 'AccessDenied');
      await (async () => {
        await uploads.finish(upload);
        await uploads.claimLecture(upload, createId());
        await uploads.publish(upload);
      })().catch(() => {});
      s3.intercept = () => null;
      expect(await uploads.finish(upload)).toBe(sha256(sound.subarray(0, 6_000_000)));
      expect(await uploads.publish(upload)).toBe(true);
      expect(readMedia(upload.id).equals(sound.subarray(0, 6_000_000))).toBe(true);
      expect(listPartials()).toEqual([]);
      if (left > 0) {
        expect(at).toBeGreaterThan(10);
        break;
      }
    }
  });
});
