// Builds the page to plain files: `node build.mjs` in this folder.
//
//   dist/index.html            names the two below; always asked for anew
//   dist/assets/app-HASH.js    may be kept for ever, because another content has another name
//   dist/assets/app-HASH.css
//   dist/assets/part-HASH.js   what the page loads when it is first used, such as the sending of recordings
//   dist/icon.svg
//   dist/.meta.json            what went in, for the question whether it is stale; not served
import { realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const appDir = path.dirname(fileURLToPath(import.meta.url));

/** Where the build leaves the list of what it was made of, relative to the app's folder. */
export const pageMetaPath = 'dist/.meta.json';

/** Files that go in without being seen by esbuild. */
const otherInputs = ['src/index.html', 'src/icon.svg', 'build.mjs'];

/** light-dark() and dvh are in all of these. */
const browsers = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];

/**
 * @param {object} [params]
 * @param {string} [params.outDir] absolute
 * @param {boolean} [params.minify]
 */
export async function buildPage({ outDir = path.join(appDir, 'dist'), minify = true } = {}) {
  const { build } = await import('esbuild');
  const { metafile } = await build(options({ outDir, minify }));
  await finishPage({ outDir, metafile });
}

/**
 * Builds, and builds again whenever a source changes.
 *
 * @param {object} params
 * @param {() => void} params.onBuilt called after every build without errors
 * @returns {Promise<{close(): Promise<void>}>}
 */
export async function watchPage({ onBuilt }) {
  const { context } = await import('esbuild');
  const outDir = path.join(appDir, 'dist');
  const finisher = {
    name: 'finish',
    setup(build) {
      build.onEnd(async (result) => {
        if (result.errors.length > 0) return;
        await finishPage({ outDir, metafile: result.metafile });
        onBuilt();
      });
    },
  };
  const watching = await context({ ...options({ outDir, minify: false }), plugins: [finisher] });
  // The page is there when this returns; `watch` alone would not wait for it.
  await watching.rebuild().catch(() => {});
  await watching.watch();
  return { close: () => watching.dispose() };
}

function options({ outDir, minify }) {
  return {
    absWorkingDir: appDir,
    entryPoints: { app: 'src/main.ts' },
    outdir: path.join(outDir, 'assets'),
    entryNames: '[name]-[hash]',
    // What is imported dynamically is a file of its own, loaded when it is first used.
    chunkNames: 'part-[hash]',
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: browsers,
    minify,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  };
}

/**
 * Writes what names the bundles, and removes those of earlier builds. Every file is replaced whole and index.html comes
 * after what it names, so an API that serves the folder meanwhile always has a page.
 */
async function finishPage({ outDir, metafile }) {
  const outputs = Object.keys(metafile.outputs).map((file) => path.basename(file));
  const named = (ending) => {
    const found = outputs.find((file) => file.startsWith('app-') && file.endsWith(ending));
    if (found === undefined) throw new Error(`esbuild made no ${ending} file`);
    return `assets/${found}`;
  };
  const template = await readFile(path.join(appDir, 'src/index.html'), 'utf8');
  const html = template.replace('assets/app.css', named('.css')).replace('assets/app.js', named('.js'));
  await replaceFile(path.join(outDir, 'icon.svg'), await readFile(path.join(appDir, 'src/icon.svg')));
  await replaceFile(path.join(outDir, 'index.html'), html);
  const assetsDir = path.join(outDir, 'assets');
  for (const file of await readdir(assetsDir)) {
    if (!outputs.includes(file)) await rm(path.join(assetsDir, file), { force: true });
  }
  const inputs = { ...metafile.inputs, ...Object.fromEntries(otherInputs.map((file) => [file, {}])) };
  await replaceFile(path.join(outDir, '.meta.json'), JSON.stringify({ ...metafile, inputs }));
}

async function replaceFile(file, content) {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, content);
  await rename(temporary, file);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const startedMs = performance.now();
  try {
    await buildPage();
    console.log(`web built in ${((performance.now() - startedMs) / 1000).toFixed(2)} s`);
  } catch (error) {
    // esbuild has printed what is wrong, and where; its stack adds nothing.
    console.error(error.errors === undefined ? error : 'web was not built');
    process.exitCode = 1;
  }
}
