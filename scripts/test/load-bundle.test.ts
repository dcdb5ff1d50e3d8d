import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeCacheOf, loadBundle, toCacheFile } from '../lib/load-bundle.mjs';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-bundle-'));
  file = path.join(dir, 'app.cjs');
  await writeFile(file, "globalThis.loadedBundles = [...(globalThis.loadedBundles ?? []), require('node:path').sep];");
});
afterEach(async () => {
  Reflect.deleteProperty(globalThis, 'loadedBundles');
  await rm(dir, { recursive: true, force: true });
});

const runs = () => (Reflect.get(globalThis, 'loadedBundles') as string[] | undefined)?.length ?? 0;
const keepCache = async () => writeFile(codeCacheOf(file), toCacheFile(loadBundle(file).createCachedData()));

test('a bundle with its code cache: V8 takes the cache', async () => {
  await keepCache();
  expect(loadBundle(file).cachedDataRejected).toBe(false);
  expect(runs()).toBe(2);
});

test('a bundle without a code cache: is compiled and runs', () => {
  expect(loadBundle(file).cachedDataRejected).toBeUndefined();
  expect(runs()).toBe(1);
});

test.each([
  ['one bit is another', (bytes: Buffer) => bytes.fill((bytes.at(-20) ?? 0) ^ 1, bytes.length - 20, bytes.length - 19)],
  ['its end is missing', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8)],
  ['it is empty', () => Buffer.alloc(0)],
])('a code cache of which %s: is never given to V8, and the bundle runs', async (_, damage) => {
  await keepCache();
  await writeFile(codeCacheOf(file), damage(await readFile(codeCacheOf(file))));
  expect(loadBundle(file).cachedDataRejected).toBeUndefined();
  expect(runs()).toBe(2);
});

test('a code cache of another bundle: V8 refuses it, and the bundle runs', async () => {
  await keepCache();
  await writeFile(file, `${await readFile(file, 'utf8')}\n// longer`);
  expect(loadBundle(file).cachedDataRejected).toBe(true);
  expect(runs()).toBe(2);
});
