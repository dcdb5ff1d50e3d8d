// Builds the page to plain files: `node build.mjs` in this folder.
//
//   dist/index.html            names what is needed at first; always asked for anew
//   dist/assets/app-HASH.js    may be kept for ever, because another content has another name
//   dist/assets/app-HASH.css
//   dist/assets/part-HASH.js   what the page loads when it is first used, such as the sending of recordings
//   dist/assets/*.br           the same compressed, for browsers that take it
//   dist/icon.svg
//   dist/.meta.json            what went in, for the question whether it is stale; not served
import { realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';

const compress = promisify(brotliCompress);
const appDir = path.dirname(fileURLToPath(import.meta.url));

/** Where the build leaves the list of what it was made of, relative to the app's folder. */
export const pageMetaPath = 'dist/.meta.json';

/** Files and folders of files that go in without being modules. */
const otherInputs = ['index.html', 'build.mjs', 'public', 'src/styles'];

/** light-dark() and dvh are in all of these. */
const browsers = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];

/**
 * @param {object} [params]
 * @param {string} [params.outDir] absolute
 * @param {boolean} [params.minify]
 */
export async function buildPage({ outDir = path.join(appDir, 'dist'), minify = true } = {}) {
  const { build } = await import('vite');
  await build(options({ outDir, minify, onPublished: () => {} }));
}

/**
 * Builds, and builds again whenever a source changes.
 *
 * @param {object} params
 * @param {() => void} params.onBuilt called after every build without errors
 * @returns {Promise<{close(): Promise<void>}>}
 */
export async function watchPage({ onBuilt }) {
  const { build } = await import('vite');
  const outDir = path.join(appDir, 'dist');
  const settings = options({ outDir, minify: false, onPublished: onBuilt });
  const watcher = await build({ ...settings, build: { ...settings.build, watch: {} } });
  // The page is there when this returns, unless a mistake is in its way.
  await new Promise((resolve) => {
    watcher.on('event', ({ code, result }) => {
      if (code === 'BUNDLE_END' || code === 'ERROR') void result?.close();
      if (code === 'END' || code === 'ERROR') resolve();
    });
  });
  return { close: () => watcher.close() };
}

function options({ outDir, minify, onPublished }) {
  // Beside its place, so that files can be moved there; the API serves no name with a dot at its beginning.
  const stagingDir = path.join(outDir, `.new-${process.pid}`);
  return {
    root: appDir,
    configFile: false,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    plugins: [publisher({ stagingDir, outDir, onPublished })],
    build: {
      outDir: stagingDir,
      emptyOutDir: true,
      target: browsers,
      minify,
      cssMinify: minify,
      // The policy of the page allows no data in place of files, and all of these browsers know how to preload.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        // On a busy machine any plug-in takes long; who builds the page cannot do anything about it.
        checks: { pluginTimings: false },
        output: {
          entryFileNames: 'assets/app-[hash].js',
          // What is imported dynamically is a file of its own, loaded when it is first used.
          chunkFileNames: 'assets/part-[hash].js',
          assetFileNames: 'assets/app-[hash][extname]',
        },
      },
    },
  };
}

/**
 * Moves what was built to its place, and removes what earlier builds left there. Every file is replaced whole and
 * index.html comes after what it names, so an API that serves the folder meanwhile always has a page.
 */
function publisher({ stagingDir, outDir, onPublished }) {
  let inputs = [];
  return {
    name: 'publish',
    generateBundle() {
      inputs = [...this.getModuleIds()].map((id) => id.split('?')[0]).filter((id) => path.isAbsolute(id));
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        await packFiles(path.join(stagingDir, 'assets'));
        const files = (await listFiles(stagingDir)).map((file) => path.relative(stagingDir, file));
        const isPage = (file) => file === 'index.html';
        for (const file of [...files.filter((name) => !isPage(name)), ...files.filter(isPage)]) {
          await mkdir(path.dirname(path.join(outDir, file)), { recursive: true });
          await rename(path.join(stagingDir, file), path.join(outDir, file));
        }
        await rm(stagingDir, { recursive: true });
        for (const file of await listFiles(outDir)) {
          if (!files.includes(path.relative(outDir, file))) await rm(file, { force: true });
        }
        const others = await Promise.all(otherInputs.map((name) => listFiles(path.join(appDir, name))));
        const meta = {
          inputs: toKeys([...inputs, ...others.flat()]),
          outputs: toKeys(files.map((file) => path.join(outDir, file))),
        };
        await writeFile(path.join(outDir, '.meta.json'), JSON.stringify(meta));
        onPublished();
      },
    },
  };
}

/** Writes each file of a folder a second time, compressed as well as can be, as NAME.br. */
async function packFiles(dir) {
  for (const file of await listFiles(dir)) await writeFile(`${file}.br`, await compress(await readFile(file)));
}

/** The files below a folder whose names do not begin with a dot, or the one file itself. */
async function listFiles(place) {
  if ((await stat(place)).isFile()) return [place];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !path
          .relative(place, file)
          .split(path.sep)
          .some((part) => part.startsWith('.')),
    );
}

function toKeys(files) {
  return Object.fromEntries(files.map((file) => [path.relative(appDir, path.resolve(appDir, file)), {}]));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const startedMs = performance.now();
  try {
    await buildPage();
    console.log(`web built in ${((performance.now() - startedMs) / 1000).toFixed(2)} s`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
