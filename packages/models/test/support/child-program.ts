import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

/** The model process without a model of `fixtures/model-child.ts`, as a program in a folder of its own. */
export async function buildChildProgram(): Promise<{ program: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-models-'));
  const program = path.join(dir, 'child.mjs');
  const entry = new URL('../fixtures/model-child.ts', import.meta.url).pathname;
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm' });
  return { program, remove: () => rm(dir, { recursive: true }) };
}
