import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArtifacts } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';

let rootDir: string;
let blobs: BlobStore;
beforeAll(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-artifacts-'));
  blobs = await createFileBlobStore({ rootDir });
});
afterAll(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true });
});

const samples = Int16Array.from({ length: 10_000 }, (_, i) => i * 3);

test('samples and floats come back as they were written, also a part of a larger memory', async () => {
  const artifacts = createArtifacts({ blobs });
  expect(await artifacts.createSamples('a/samples', samples.subarray(5, 9_000))).toBe(true);
  expect(await artifacts.readSamples('a/samples')).toEqual(samples.slice(5, 9_000));
  await artifacts.createFloats('a/floats', Float32Array.of(0, 1.5, -2));
  expect(await artifacts.readFloats('a/floats')).toEqual(Float32Array.of(0, 1.5, -2));
  expect(await artifacts.readSamples('a/none')).toBeNull();
});

test('bytes that a store gives at an odd place of its memory are numbers all the same', async () => {
  const oddly: BlobStore = {
    ...blobs,
    async read(key) {
      const bytes = await blobs.read(key);
      if (!bytes) return null;
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      return shifted.subarray(1);
    },
  };
  await createArtifacts({ blobs }).createSamples('b/samples', samples);
  expect(await createArtifacts({ blobs: oddly }).readSamples('b/samples')).toEqual(samples);
});

test('bytes that are no whole numbers are said to be damaged', async () => {
  await blobs.put('c/samples', Uint8Array.of(1, 2, 3));
  await expect(createArtifacts({ blobs }).readSamples('c/samples')).rejects.toMatchObject({
    code: 'internal',
    retryable: false,
  });
});
