import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundledModel, describeEngine } from '../../apps/worker/test/support/engine-suite.ts';
import { rootDir } from '../support/running-system.ts';

// Whether the engine's program can be built here: in a bare container it cannot.
const hasCompiler = ['make', 'cc', 'c++'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!hasCompiler) console.warn('whisper-node is not tested: there is no make or no C++ compiler.');

let dataDir: string | undefined;
afterAll(async () => {
  if (dataDir) await rm(dataDir, { recursive: true });
});

const weights = bundledModel('whisper-tiny.en-ggml');
const build = (env: Record<string, string>) => {
  const program = path.join(rootDir, 'apps/worker/dist/whisper-node.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { cwd: tmpdir(), env, encoding: 'utf8' });
  return { status, program: stdout.trim(), stderr };
};

test('without make it is said what to install, and nothing is left', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-no-make-'));
  try {
    const { status, stderr } = build({ PATH: dir, DATA_DIR: path.join(dir, 'data') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^There is no make: install make and a C\+\+ compiler/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

if (hasCompiler) {
  describeEngine('whisper-node with the bundled model', {
    engine: 'whisper-node',
    async prepare() {
      dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-whisper-node-'));
      const { status, program, stderr } = build({ PATH: process.env.PATH ?? '', DATA_DIR: dataDir });
      expect({ status, last: stderr.slice(-300) }).toMatchObject({ status: 0 });
      return { model: weights, whisperNode: { program, tempDir: path.join(dataDir, 'tmp') } };
    },
    async damage(folder) {
      const whole = await open(path.join(weights, 'ggml-tiny.en-q5_1.bin'));
      const half = Buffer.alloc(3_000_000);
      await whole.read(half, 0, half.length, 0);
      await whole.close();
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, 'ggml-half.bin'), half);
    },
    maxWordErrorRate: 0.12,
  });
} else {
  test.skip('whisper-node: there is no make or no C++ compiler');
}
