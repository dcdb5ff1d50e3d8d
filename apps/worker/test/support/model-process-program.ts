import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const rootDir = fileURLToPath(new URL('../../../../', import.meta.url));

/** The model process as the worker starts it, built from today's source. @returns its folder, for the test to remove */
export async function buildModelProcess(): Promise<{ dir: string; program: string }> {
  // Where the libraries that stay outside the bundle are found.
  const dir = await mkdtemp(path.join(rootDir, 'node_modules/.cache-model-process-'));
  const program = path.join(dir, 'model-process.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/model-process/main.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['onnxruntime-node', '@huggingface/transformers'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
  return { dir, program };
}
