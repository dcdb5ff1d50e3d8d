import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyWeights } from '../src/identify-weights.ts';

let dir: string;
let stamps: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-identity-'));
  stamps = path.join(dir, 'stamps');
});
afterEach(() => rm(dir, { recursive: true }));

async function makeFolder(name: string, files: Record<string, string>): Promise<string> {
  const folder = path.join(dir, name);
  await mkdir(path.join(folder, 'onnx'), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
  return folder;
}
const identify = async (name: string, files: Record<string, string>) =>
  identifyWeights(await makeFolder(name, files), stamps);

test('a bundled model is known by its list of checksums, and needs no stamp', async () => {
  const bundled = new URL('../../../models/silero-vad', import.meta.url).pathname;
  expect(await identifyWeights(bundled, stamps)).toMatch(/^[0-9a-f]{8}$/);
  expect(await readdir(dir)).toEqual([]);
});

test('a list of checksums in another order is the same, one with another checksum is not', async () => {
  const [a, b] = [`${'a'.repeat(64)}  onnx/model.onnx`, `${'b'.repeat(64)}  config.json`];
  const first = await identify('first', { SHA256SUMS: `${a}\n${b}\n` });
  expect(await identify('turned', { SHA256SUMS: `${b}\n${a}\n` })).toBe(first);
  expect(await identify('other', { SHA256SUMS: `${a}\n${b.replace('b', 'c')}\n` })).not.toBe(first);
});

test('without checksums the content decides: equal copies are equal, one other byte or name is another', async () => {
  const files = { 'config.json': '{}', 'onnx/model.onnx': 'weights' };
  const first = await identify('first', files);
  expect(await identify('copy', files)).toBe(first);
  expect(await identify('other', { ...files, 'onnx/model.onnx': 'weighte' })).not.toBe(first);
  expect(await identify('renamed', { 'config.json': '{}', 'onnx/model2.onnx': 'weights' })).not.toBe(first);
});

test('what was read once is not read again until a file is changed', async () => {
  const folder = await makeFolder('model', { 'config.json': '{}', 'onnx/model.onnx': 'weights' });
  await identifyWeights(folder, stamps);
  const [stamp] = await readdir(stamps);
  await writeFile(path.join(stamps, stamp ?? ''), '01234567');
  expect(await identifyWeights(folder, stamps)).toBe('01234567');
  await writeFile(path.join(folder, 'onnx/model.onnx'), 'weighte');
  await utimes(path.join(folder, 'onnx/model.onnx'), 1, 1);
  expect(await identifyWeights(folder, stamps)).not.toBe('01234567');
});

test('a folder that is not there is missing, one with very many files is no model', async () => {
  await expect(identifyWeights(path.join(dir, 'none'), stamps)).rejects.toMatchObject({ code: 'model_missing' });
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`${i}.txt`, '']));
  await expect(identify('many', many)).rejects.toMatchObject({ code: 'model_damaged' });
});
