import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { createKeyStore, type KeyStore } from '../src/key-store.ts';

let rootDir: string;
let blobs: BlobStore;
let keys: KeyStore;
beforeEach(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-keys-'));
  blobs = await createFileBlobStore({ rootDir });
  keys = createKeyStore({ blobs });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true, force: true });
});

async function readWholeStore(): Promise<string> {
  const entries = await readdir(rootDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map(async (file) => readFile(path.join(file.parentPath, file.name), 'utf8')));
  return [...files.map((file) => path.join(file.parentPath, file.name)), ...texts].join('\n');
}

test('a key that was made is found by itself, and nothing in the store holds its secret', async () => {
  const { key, info } = await keys.create({ owner: 'ada', label: 'laptop' });
  expect(key).toMatch(/^sm_[0-9a-hjkmnp-tv-z]{26}_[A-Za-z0-9_-]{43}$/);
  expect(info).toMatchObject({ owner: 'ada', label: 'laptop', revokedAt: null });
  expect(await keys.find(key)).toEqual(info);
  const secret = key.slice(`sm_${info.id}_`.length);
  const stored = await readWholeStore();
  expect(stored).toContain(info.id);
  expect(stored).not.toContain(secret);
});

test('a secret that contains the separator works, whatever its characters are', async () => {
  // About every second secret has a "_" or "-" in it.
  for (let i = 0; i < 20; i++) {
    const { key, info } = await keys.create({ owner: 'ada', label: '' });
    expect((await keys.find(key))?.id).toBe(info.id);
  }
});

test('what is no key is not found: another secret, the id of another key, cut, longer, a path, empty', async () => {
  const { key, info } = await keys.create({ owner: 'ada', label: '' });
  const other = await keys.create({ owner: 'bob', label: '' });
  const secret = key.slice(-43);
  const changed = `${secret.startsWith('A') ? 'B' : 'A'}${secret.slice(1)}`;
  const wrong = [
    `sm_${info.id}_${changed}`,
    `sm_${other.info.id}_${secret}`,
    key.slice(0, -1),
    `${key}A`,
    `${key}\n`,
    key.toUpperCase(),
    `sm_../../keys_${secret}`,
    secret,
    '',
  ];
  for (const presented of wrong) expect(await keys.find(presented), presented).toBeNull();
});

test('a revoked key is found as revoked, for other processes too; revoking twice keeps the first time', async () => {
  const { key, info } = await keys.create({ owner: 'ada', label: '' });
  const revoked = await keys.revoke(info.id);
  expect(revoked?.revokedAt).toEqual(expect.any(String));
  const elsewhere = createKeyStore({ blobs: await createFileBlobStore({ rootDir }) });
  expect(await elsewhere.find(key)).toEqual(revoked);
  expect(await elsewhere.revoke(info.id)).toEqual(revoked);
});

test('revoking what is no key: null, and nothing is written', async () => {
  const before = await readWholeStore();
  expect(await keys.revoke('01j00000000000000000000000')).toBeNull();
  expect(await keys.revoke('../../etc/passwd')).toBeNull();
  expect(await readWholeStore()).toBe(before);
});

test('keys are listed oldest first, the revoked ones too', async () => {
  const made = [];
  for (const owner of ['ada', 'bob', 'eve']) made.push((await keys.create({ owner, label: owner })).info);
  const byTime = made.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const [, second] = byTime;
  await keys.revoke(second?.id ?? '');
  const listed = await keys.list();
  expect(listed.map(({ id }) => id)).toEqual(byTime.map(({ id }) => id));
  expect(listed.filter(({ revokedAt }) => revokedAt !== null).map(({ id }) => id)).toEqual([second?.id]);
});

test.each(['', '../x', 'a b', '-a', 'a'.repeat(101), 'ä', 'Ada'])('%j cannot be an owner', async (owner) => {
  await expect(keys.create({ owner, label: '' })).rejects.toMatchObject({ code: 'invalid_request' });
});

test('a label with a control character, or too long, is refused', async () => {
  for (const label of ['\u001b[31m', 'a\nb', 'x'.repeat(101)]) {
    await expect(keys.create({ owner: 'ada', label })).rejects.toMatchObject({ code: 'invalid_request' });
  }
});
