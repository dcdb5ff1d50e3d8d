/** Bundles packages/study/src for measuring, so that the benches run on the sources with plain Node. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('../../packages/study/src/', import.meta.url));

/** @param {string[]} names files of packages/study/src without ending */
export async function loadStudy(names) {
  const folder = mkdtempSync(path.join(tmpdir(), 'studymate-bench-'));
  try {
    const outfile = path.join(folder, 'study.mjs');
    await build({
      stdin: {
        contents: names.map((name) => `export * from './${name}.ts';`).join('\n'),
        resolveDir: source,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
