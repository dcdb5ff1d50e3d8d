// `npm run studymate -- COMMAND`: the operator's command line (apps/cli). It is built first where it is missing or older
// than its sources, as far as the packages for that are installed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtMain } from './lib/services.mjs';
import { rootDir } from './setup.mjs';

async function build() {
  if (!existsSync(path.join(rootDir, 'node_modules', 'esbuild'))) return;
  const { bundleApp, isStale } = await import('./bundle.mjs');
  const appDir = path.join(rootDir, 'apps', 'cli');
  if (!(await isStale({ appDir, rootDir }))) return;
  console.error('building cli');
  await bundleApp({ appDir });
}

try {
  await build();
  // It takes the words after our own name, and sets the exit status.
  await import(pathToFileURL(builtMain(rootDir, 'cli')).href);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
