// Measures: `npm run bench -- NAME [ARGUMENT…] [--json]`. Without a name it lists what there is.
//
// A benchmark is bench/NAME.ts with `export const about` (one line) and `export async function run(args, note)`, which
// returns the figures as a plain object. Progress goes to standard error; figures to standard output.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const benchDir = path.dirname(fileURLToPath(import.meta.url));
const rootDir = path.dirname(benchDir);
const names = readdirSync(benchDir)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));

/**
 * Bundles a benchmark and imports it. The bundle lies two folders below the root, as e2e/support does, so that it finds
 * the installed packages and the root by the same relative paths.
 */
async function load(name) {
  const { build } = await import('esbuild');
  const outDir = mkdtempSync(path.join(rootDir, 'node_modules/.cache-bench-'));
  const outfile = path.join(outDir, `${name}.mjs`);
  await build({
    entryPoints: [path.join(benchDir, `${name}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['onnxruntime-node', '@huggingface/transformers', 'express', 'pg', 'redis', 'bullmq-otel'],
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    define: { BENCH_ROOT: JSON.stringify(rootDir) },
    logLevel: 'warning',
  });
  process.on('exit', () => rmSync(outDir, { recursive: true, force: true }));
  return import(pathToFileURL(outfile));
}

const args = process.argv.slice(2).filter((arg) => arg !== '--json');
const isJson = process.argv.includes('--json');
const [name, ...rest] = args;
if (name === undefined || !names.includes(name)) {
  for (const each of names) console.log(`${each.padEnd(12)} ${(await load(each)).about}`);
  process.exitCode = name === undefined ? 0 : 1;
} else {
  const { run } = await load(name);
  const figures = await run(rest, (text) => console.error(text));
  console.log(isJson ? JSON.stringify(figures, null, 2) : toText(figures));
  process.exit(0);
}

function toText(value, indent = '') {
  return Object.entries(value)
    .map(([key, part]) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? `${indent}${key}\n${toText(part, `${indent}  `)}`
        : `${indent}${key.padEnd(Math.max(1, 34 - indent.length))} ${Array.isArray(part) ? part.join(' ') : part}`,
    )
    .join('\n');
}
