// Brings a clone to where it can run: Node, packages, system programs, built apps. Node's own modules only, because
// it runs before anything is installed. A second run looks at a few files and does nothing.
//
// `node scripts/setup.mjs [--system]`
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './lib/run-command.mjs';
import { basePrograms, containerPrograms, ensurePrograms, systemPrograms } from './lib/system-programs.mjs';

export const rootDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** What runs in Node; the page is built apart, because it runs in a browser. */
export const apps = ['api', 'worker'];

const oldestNode = [20, 19];

/** @throws {Error} when this Node is too old */
function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new Error(`StudyMate needs Node ${oldestNode.join('.')} or later; this is ${version}.`);
  }
}

/**
 * @param {object} params
 * @param {(line: string) => void} params.log
 * @param {boolean} [params.system] what the whole-system tests need, too
 * @param {boolean} [params.build] build what is stale (default true)
 * @param {AbortSignal} [params.signal] breaks off the installation of packages
 * @returns {Promise<{programsSeconds: number, installSeconds: number, buildSeconds: number}>}
 */
export async function setUp({ log, system = false, build = true, signal }) {
  checkNode();
  const programsSeconds = await timed(async () => {
    await ensurePrograms({ programs: system ? [...basePrograms, ...systemPrograms] : basePrograms, log });
    if (system && process.platform === 'linux') {
      await ensurePrograms({ programs: containerPrograms, log }).catch((error) =>
        log(`${error.message}\nWithout them docker-compose.yml is not built and run.`),
      );
    }
  });
  const installSeconds = await timed(() => installPackages(log, signal));
  const buildSeconds = build ? await timed(() => buildApps(log)) : 0;
  return { programsSeconds, installSeconds, buildSeconds };
}

/** @returns {Promise<number>} seconds, to the millisecond */
export async function timed(work) {
  const startedMs = performance.now();
  await work();
  return Math.round(performance.now() - startedMs) / 1000;
}

/** `npm ci`, unless node_modules is what package-lock.json asks for. */
async function installPackages(log, signal) {
  const stampPath = path.join(rootDir, 'node_modules', '.studymate-stamp');
  const lockText = await readFile(path.join(rootDir, 'package-lock.json'), 'utf8');
  const hiddenPath = path.join(rootDir, 'node_modules', '.package-lock.json');
  // npm writes its hidden lock file last: an installation that was broken off has none.
  const hiddenText = await readFile(hiddenPath, 'utf8').catch(() => null);
  // Packages with native parts differ from one system to the next (think of a folder shared with a container).
  const hash = createHash('sha256').update(lockText).digest('hex');
  const wanted = `${hash} ${process.platform} ${process.arch}\n`;
  if (hiddenText !== null) {
    if ((await readFile(stampPath, 'utf8').catch(() => null)) === wanted) return;
    if (isInstalled(JSON.parse(lockText), JSON.parse(hiddenText))) {
      await writeFile(stampPath, wanted);
      return;
    }
  }
  log('installing packages with npm ci');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const npm = npmCommand();
  await runCommand({ command: npm.command, args: [...npm.args, ...args], cwd: rootDir, signal });
  await writeFile(stampPath, wanted);
}

/**
 * Whether everything that the lock file names for this system has been installed in its version, by whatever command.
 *
 * @param {{packages: Record<string, any>}} lock package-lock.json
 * @param {{packages: Record<string, any>}} hidden npm's own account of node_modules
 */
export function isInstalled(lock, hidden) {
  const fits = (list, here) => list === undefined || list.includes(here);
  return Object.entries(lock.packages).every(([place, entry]) => {
    if (place === '') return true;
    const there = hidden.packages[place];
    if (there !== undefined) return there.version === entry.version;
    // What only other systems' optional packages need has no system of its own; and which C library this system has,
    // npm knows better than we do.
    const isForHere = entry.os !== undefined && fits(entry.os, process.platform) && fits(entry.cpu, process.arch);
    return entry.optional === true && (!isForHere || entry.libc !== undefined);
  });
}

async function buildApps(log) {
  const { bundleApp, isStale } = await import('./bundle.mjs');
  for (const app of apps) {
    const appDir = path.join(rootDir, 'apps', app);
    if (!(await isStale({ appDir, rootDir }))) continue;
    log(`building ${app}`);
    await bundleApp({ appDir });
  }
  const { buildPage, pageMetaPath } = await import('../apps/web/build.mjs');
  if (await isStale({ appDir: path.join(rootDir, 'apps/web'), rootDir, meta: pageMetaPath })) {
    log('building web');
    await buildPage();
  }
}

/** The npm that runs us, otherwise the one in PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.[cm]?js$/.test(cli)) return { command: process.execPath, args: [cli] };
  return { command: 'npm', args: [] };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await setUp({ log: (line) => console.error(line), system: process.argv.includes('--system') });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
