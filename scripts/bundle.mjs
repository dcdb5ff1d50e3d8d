// Bundles one app for Node: `node ../../scripts/bundle.mjs [--watch]` in the app's folder.
//
// Most of an API's start is reading and compiling JavaScript (express, bullmq and zod unbundled take about 0.6 s of
// it), so every app is built to a few minified files. Splitting keeps what main.ts imports dynamically in files of
// its own: the health route answers before they are read.
//
// The API is built to one CommonJS file with V8's code cache beside it instead (Node 20 has no code cache for ES
// modules): that takes 40 % off its start. The worker gains nothing by it (docs/measurements.md).
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCodeCache } from './code-cache.mjs';

const libDir = fileURLToPath(new URL('lib/', import.meta.url));

/** What stays a package on disk, because it loads files of its own, or is an optional peer that we do not use. */
const external = [
  'onnxruntime-node',
  '@huggingface/transformers',
  '@bull-board/*',
  // optional peers of bullmq
  'pg',
  'redis',
  'bullmq-otel',
];

/** CommonJS dependencies expect these names; an ES module has to make them itself. */
const banner = [
  "import{createRequire as __smCreateRequire}from'node:module';",
  "import{fileURLToPath as __smFileURLToPath}from'node:url';",
  'const require=__smCreateRequire(import.meta.url);',
  "const __filename=__smFileURLToPath(import.meta.url),__dirname=__smFileURLToPath(new URL('.',import.meta.url));",
].join('');

/**
 * Builds `src/main.ts` (and the programs it starts, where there are any) of an app to `dist/`, and writes
 * esbuild's list of what went in to `dist/meta.json`.
 *
 * @param {object} params
 * @param {string} params.appDir the app's folder, absolute
 * @param {boolean} [params.codeCache] build to one file with V8's code cache; by default for the API alone
 */
export async function bundleApp({ appDir, codeCache = path.basename(appDir) === 'api' }) {
  const { build } = await import('esbuild');
  await emptyDist(appDir);
  const common = options({ appDir, minify: true });
  if (!codeCache) {
    await writeMeta(appDir, (await build(common)).metafile);
    return;
  }
  const { metafile } = await build(toCommonJs(common));
  const name = path.basename(Object.keys(metafile.outputs).find((file) => file.endsWith('.cjs')));
  const boot = await build({
    ...common,
    entryPoints: { main: path.join(libDir, 'bundle-main.mjs') },
    splitting: false,
    banner: {},
    define: { BUNDLE_NAME: JSON.stringify(`./${name}`) },
  });
  const isMade = await makeCodeCache({ file: path.join(appDir, 'dist', name) });
  if (!isMade) console.error(`${path.basename(appDir)}: no code cache could be made; it will start a little slower`);
  await writeMeta(appDir, {
    inputs: { ...metafile.inputs, ...boot.metafile.inputs },
    outputs: { ...metafile.outputs, ...boot.metafile.outputs },
  });
}

/** One file whose name has a hash of its contents; what is imported dynamically in it is evaluated only then. */
function toCommonJs(common) {
  return {
    ...common,
    entryPoints: { app: common.entryPoints.main },
    entryNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    splitting: false,
    format: 'cjs',
    // A script with a code cache cannot import; packages that stay on disk are required, when they are first used.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__smUrl' },
    banner: { js: "const __smUrl=require('node:url').pathToFileURL(__filename).href;" },
  };
}

/**
 * Builds, and builds again whenever a source changes.
 *
 * @param {object} params
 * @param {string} params.appDir
 * @param {() => void} params.onBuilt called after every build without errors
 * @returns {Promise<{close(): Promise<void>}>}
 */
export async function watchApp({ appDir, onBuilt }) {
  const { context } = await import('esbuild');
  await emptyDist(appDir);
  const reporter = {
    name: 'report',
    setup(build) {
      build.onEnd(async (result) => {
        if (result.errors.length > 0) return;
        await writeMeta(appDir, result.metafile);
        onBuilt();
      });
    },
  };
  const watching = await context({ ...options({ appDir, minify: false }), logLevel: 'warning', plugins: [reporter] });
  await watching.watch();
  return { close: () => watching.dispose() };
}

/**
 * Whether `dist/` is missing, or older than one of the files it was made of (or than the lock file, for packages).
 *
 * @param {object} params
 * @param {string} params.appDir
 * @param {string} params.rootDir
 * @param {string} [params.meta] where the builder has left esbuild's list, from the app's folder
 */
export async function isStale({ appDir, rootDir, meta: metaName = 'dist/meta.json' }) {
  const metaPath = path.join(appDir, metaName);
  try {
    const builtMs = (await stat(metaPath)).mtimeMs;
    const meta = JSON.parse(await readFile(metaPath, 'utf8'));
    const sources = Object.keys(meta.inputs).filter((file) => !file.includes('node_modules/'));
    const files = [
      ...sources.map((file) => path.join(appDir, file)),
      ...Object.keys(meta.outputs).map((file) => path.join(appDir, file)),
      path.join(rootDir, 'package-lock.json'),
      fileURLToPath(import.meta.url),
    ];
    const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
    // Outputs are written before meta.json; the second allows for coarse file times.
    return times.some((ms) => ms > builtMs + 1000);
  } catch {
    return true;
  }
}

function options({ appDir, minify }) {
  const entryPoints = { main: 'src/main.ts' };
  // Programs that the app starts as processes or threads of its own.
  for (const name of ['model-process', 'study-process', 'whisper-node']) {
    if (existsSync(path.join(appDir, `src/${name}/main.ts`))) entryPoints[name] = `src/${name}/main.ts`;
  }
  return {
    absWorkingDir: appDir,
    entryPoints,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minify,
    sourcemap: 'linked',
    metafile: true,
    external,
    banner: { js: banner },
    // Beside main.js, so that `import.meta.url` means dist/ wherever a source file ends up.
    chunkNames: '[name]-[hash]',
    legalComments: 'external',
    logLevel: 'warning',
  };
}

async function emptyDist(appDir) {
  await rm(path.join(appDir, 'dist'), { recursive: true, force: true });
  await mkdir(path.join(appDir, 'dist'), { recursive: true });
}

async function writeMeta(appDir, metafile) {
  await writeFile(path.join(appDir, 'dist', 'meta.json'), JSON.stringify(metafile));
}

async function main() {
  const appDir = process.cwd();
  const name = path.basename(appDir);
  if (process.argv.includes('--watch')) {
    await watchApp({ appDir, onBuilt: () => console.log(`${name} built`) });
    return;
  }
  const startedMs = performance.now();
  try {
    await bundleApp({ appDir });
  } catch (error) {
    // esbuild has printed what is wrong, and where; its stack adds nothing.
    console.error(error.errors === undefined ? error : `${name} was not built`);
    process.exitCode = 1;
    return;
  }
  console.log(`${name} built in ${((performance.now() - startedMs) / 1000).toFixed(2)} s`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
