import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identifyWeights } from '../src/identify-weights.ts';
import { parseChecksums, verifyModelFolder } from '../src/weights.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-weights-'));
});
afterEach(() => rm(dir, { recursive: true }));

const bundled = new URL('../../../models/silero-vad', import.meta.url).pathname;

test('a bundled model passes and its stamp spares the second reading', async () => {
  const stamps = path.join(dir, 'stamps');
  await verifyModelFolder(bundled, stamps);
  expect(await readdir(stamps)).toHaveLength(1);
  await verifyModelFolder(bundled, stamps);
  expect(await readdir(stamps)).toHaveLength(1);
});

test('a damaged file is named with both checksums, even where an intact copy had passed before', async () => {
  const copy = path.join(dir, 'model');
  await cp(bundled, copy, { recursive: true });
  await verifyModelFolder(copy, path.join(dir, 'stamps'));
  await appendFile(path.join(copy, 'silero_vad.onnx'), 'x');
  await expect(verifyModelFolder(copy, path.join(dir, 'stamps'))).rejects.toMatchObject({
    code: 'model_damaged',
    message: expect.stringMatching(/silero_vad\.onnx.*SHA-256 is [0-9a-f]{64}, not 1a153a22/),
  });
});

test('a missing file is named', async () => {
  await writeFile(path.join(dir, 'SHA256SUMS'), `${'0'.repeat(64)}  onnx/model.onnx\n`);
  await expect(verifyModelFolder(dir, dir)).rejects.toMatchObject({
    code: 'model_missing',
    message: expect.stringContaining('onnx/model.onnx'),
  });
});

test('a list of checksums that names no file is damaged: it would hold the files to nothing', async () => {
  for (const list of ['', '\n', '<html>not found</html>', `${'0'.repeat(63)}  onnx/model.onnx\n`]) {
    await writeFile(path.join(dir, 'SHA256SUMS'), list);
    await expect(verifyModelFolder(dir, dir)).rejects.toMatchObject({
      code: 'model_damaged',
      message: expect.stringContaining(dir),
    });
    await expect(identifyWeights(dir, dir)).rejects.toMatchObject({ code: 'model_damaged' });
  }
});

test('parseChecksums reads both forms that sha256sum writes', () => {
  const hash = 'a'.repeat(64);
  expect(parseChecksums(`${hash}  one\n${hash} *two/three\nnonsense\n`)).toEqual([
    { sha256: hash, name: 'one' },
    { sha256: hash, name: 'two/three' },
  ]);
});
