import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

export const makeRoot = (): Promise<string> => mkdtemp(join(tmpdir(), 'studymate-store-'));

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A program of the fixtures as one JavaScript file: Node 20 runs no TypeScript. */
export async function buildFixture(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  const entry = new URL(`../fixtures/${name}.ts`, import.meta.url).pathname;
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return outfile;
}
