import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createClaims } from '../src/claims.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { claimsPrefix } from '../src/lecture-keys.ts';

const hourMs = 3_600_000;
const midnightMs = 20_000 * 24 * hourMs;

let rootDir: string;
let blobs: BlobStore;
let nowMs: number;
beforeEach(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-claims-'));
  blobs = await createFileBlobStore({ rootDir });
  nowMs = midnightMs + 20 * hourMs;
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true, force: true });
});

const claims = () => createClaims({ blobs, now: () => nowMs });
const claim = async (id: string, key = 'key', owner = 'ada') =>
  (await claims().claim(owner, key, { id, fingerprint: id })).id;

test('the first claim of a key holds for 24 hours, over midnight, and then another may', async () => {
  expect(await claim('first')).toBe('first');
  nowMs += 5 * hourMs;
  expect(await claim('second')).toBe('first');
  nowMs += 18 * hourMs;
  expect(await claim('third')).toBe('first');
  nowMs += hourMs;
  expect(await claim('fourth')).toBe('fourth');
  expect(await claim('fifth')).toBe('fourth');
});

test('of many at once one holds; another key and another owner have their own', async () => {
  const held = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(`id-${i}`)));
  expect(new Set(held).size).toBe(1);
  expect(await claim('other key', 'key 2')).toBe('other key');
  expect(await claim('other owner', 'key', 'bob')).toBe('other owner');
});

test('collect removes what has expired, and nothing that may still hold', async () => {
  await claim('old');
  nowMs += 24 * hourMs;
  await claim('younger', 'key 2');
  expect(await claims().collect()).toBe(0);
  nowMs += 24 * hourMs;
  expect(await claims().collect()).toBe(1);
  expect(await blobs.list(claimsPrefix)).toHaveLength(1);
});
