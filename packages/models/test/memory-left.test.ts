import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { graphBytesOf, leastLeft, leastNeeded, mustHaveMemory, readMemoryLeft } from '../src/memory-left.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'studymate-memory-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
}
const machine = { 'proc/meminfo': 'MemTotal: 8000 kB\nMemAvailable:    4000 kB\n' };

test('without groups the machine decides', async () => {
  await write(machine);
  expect(await readMemoryLeft(root)).toBe(4_000 * 1024);
});

test('a group of version 2 above the process decides, file content not counted', async () => {
  await write({
    ...machine,
    'proc/self/cgroup': '0::/service/worker\n',
    'sys/fs/cgroup/service/worker/memory.max': 'max\n',
    'sys/fs/cgroup/service/worker/memory.current': '100\n',
    'sys/fs/cgroup/service/memory.max': '3000000\n',
    'sys/fs/cgroup/service/memory.current': '2500000\n',
    'sys/fs/cgroup/service/memory.stat': 'anon 5\ninactive_file 400000\nactive_file 7\n',
  });
  expect(await readMemoryLeft(root)).toBe(900_000);
});

test("a container's group of version 1 is found at the top when its path is the host's", async () => {
  await write({
    ...machine,
    'proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/docker/0123\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '2000000\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1500000\n',
    'sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 100000\n',
  });
  expect(await readMemoryLeft(root)).toBe(600_000);
});

test('where the system does not say, nothing is known and nothing refused', async () => {
  expect(await readMemoryLeft(root)).toBeNull();
  expect(() => mustHaveMemory('whisper-huge', 1e12, null)).not.toThrow();
});

test('a group that has taken more than its limit leaves nothing', () => {
  expect(leastLeft(1_000, [{ limitBytes: 100, usedBytes: 200, reclaimableBytes: 0 }])).toBe(0);
});

test('a model that needs more than is left is refused with both figures; one that just fits is not', () => {
  const needed = leastNeeded(1e9);
  expect(() => mustHaveMemory('whisper-large', 1e9, needed)).not.toThrow();
  expect(() => mustHaveMemory('whisper-large', 1e9, 1.2e9)).toThrow(
    expect.objectContaining({
      code: 'model_too_large',
      message: expect.stringMatching(/whisper-large needs at least 2590 MB of memory, and 1200 MB are left/),
    }),
  );
});

test('the graphs that are loaded count: the batched decoder instead of the merged one', async () => {
  const folder = path.join(root, 'model');
  await write({ 'model/onnx/encoder_model_quantized.onnx': '1234', 'model/tokenizer.json': 'x'.repeat(99) });
  await write({ 'model/onnx/decoder_model_merged_quantized.onnx': '12' });
  expect(await graphBytesOf(folder)).toBe(6);
  await write({ 'model/onnx/decoder_batched_quantized.onnx': '1' });
  expect(await graphBytesOf(folder)).toBe(5);
});
