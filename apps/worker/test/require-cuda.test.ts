import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireCuda } from '../src/require-cuda.ts';

let root: string;
const runtimeDir = () => path.join(root, 'onnxruntime-node');
const put = async (file: string) => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), '');
};
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'studymate-cuda-'));
});
afterEach(() => rm(root, { recursive: true }));

test('a machine without a GPU: refused, with what would help', async () => {
  const message = /MODEL_DEVICE="cuda": there is no NVIDIA GPU here .*install its driver.*or set cpu/;
  await expect(requireCuda({ root, runtimeDir: runtimeDir() })).rejects.toThrow(message);
});

test('a GPU that onnxruntime cannot use: refused until the library is there', async () => {
  await put('dev/nvidiactl');
  await put(`onnxruntime-node/bin/napi-v6/other/${process.arch}/libonnxruntime_providers_cuda.so`);
  await expect(requireCuda({ root, runtimeDir: runtimeDir() })).rejects.toThrow(
    /comes without what runs on a GPU; put/,
  );
  await put(`onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`);
  await requireCuda({ root, runtimeDir: runtimeDir() });
});
