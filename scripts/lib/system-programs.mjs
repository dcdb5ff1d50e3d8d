import { existsSync } from 'node:fs';
import { access, constants, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './run-command.mjs';

/**
 * The programs that StudyMate needs and does not bring along. `given` is the setting that names one already there,
 * `file` is looked for instead of a program where the package is not a program.
 */
export const basePrograms = [
  { name: 'redis-server', given: 'REDIS_URL', apt: 'redis-server', brew: 'redis' },
  { name: 'ffmpeg', given: 'FFMPEG_PATH', apt: 'ffmpeg', brew: 'ffmpeg' },
  { name: 'ffprobe', given: 'FFPROBE_PATH', apt: 'ffmpeg', brew: 'ffmpeg' },
];

/** What the whole-system tests need on top. */
export const systemPrograms = [
  { name: 'nginx', apt: 'nginx', brew: 'nginx' },
  {
    name: 'nginx brotli filter',
    apt: 'libnginx-mod-http-brotli-filter',
    file: '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so',
  },
  {
    name: 'nginx brotli static',
    apt: 'libnginx-mod-http-brotli-static',
    file: '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so',
  },
  { name: 'chromium', apt: 'chromium', brew: 'chromium' },
  { name: 'prometheus', apt: 'prometheus', brew: 'prometheus' },
  { name: 'amtool', apt: 'prometheus-alertmanager', file: '/usr/bin/amtool' },
];

/** What it takes to build and run docker-compose.yml in a test, which is left out where they cannot be had. */
export const containerPrograms = [
  { name: 'dockerd', apt: 'docker.io' },
  { name: 'docker-compose', apt: 'docker-compose' },
  { name: 'mmdebstrap', apt: 'mmdebstrap' },
];

/** Whether this names a program that can be started: by its path (API and worker run in the project's folder) or in PATH. */
async function isProgram(given) {
  if (!given.includes('/')) return (await findProgram(given)) !== null;
  return isExecutable(path.resolve(import.meta.dirname, '../..', given));
}

async function isExecutable(file) {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** The absolute path of a program in PATH, or null. Debian keeps servers in sbin, which users seldom have there. */
export async function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const candidate = path.join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

async function isPresent(program) {
  const given = program.given === undefined ? '' : (process.env[program.given] ?? '').trim();
  if (given !== '') {
    // A Redis is named by its address, and whether it answers is seen when it is used.
    if (program.given === 'REDIS_URL' || (await isProgram(given))) return true;
    throw new Error(
      `${program.given}=${given}: there is no such program; correct it, or leave it out to use the ${program.name} in PATH`,
    );
  }
  if (program.file !== undefined) return process.platform !== 'linux' || existsSync(program.file);
  return (await findProgram(program.name)) !== null;
}

/**
 * Makes sure that the programs are there: installs the missing ones with apt-get (as root) or Homebrew.
 *
 * @param {object} params
 * @param {typeof basePrograms} params.programs
 * @param {(line: string) => void} params.log
 * @throws {Error} that says what to install, where we cannot
 */
export async function ensurePrograms({ programs, log }) {
  const missing = [];
  for (const program of programs) if (!(await isPresent(program))) missing.push(program);
  if (missing.length === 0) return;
  const names = missing.map((program) => program.name).join(', ');

  if (process.platform === 'linux' && (await findProgram('apt-get')) !== null) {
    const packages = [...new Set(missing.map((program) => program.apt))];
    if (process.getuid?.() !== 0) throw new Error(adviceFor(missing, `sudo apt-get install ${packages.join(' ')}`));
    log(
      `installing with apt-get, because ${names} ${missing.length === 1 ? 'is' : 'are'} missing: ${packages.join(' ')}`,
    );
    await aptInstall(packages);
  } else if (process.platform === 'darwin' && (await findProgram('brew')) !== null) {
    const packages = [...new Set(missing.flatMap((program) => program.brew ?? []))];
    log(`installing with brew, because ${names} ${missing.length === 1 ? 'is' : 'are'} missing: ${packages.join(' ')}`);
    await runCommand({ command: 'brew', args: ['install', ...packages] });
  } else {
    throw new Error(adviceFor(missing, null));
  }
  for (const program of missing) {
    if (!(await isPresent(program)))
      throw new Error(`${program.name} is still missing after its package was installed`);
  }
}

function adviceFor(missing, command) {
  const lines = missing.map((program) => {
    const setting = program.given === undefined ? '' : `, or set ${program.given}`;
    return `  - ${program.name}: install the package ${program.apt}${setting}`;
  });
  const how = command === null ? '' : `\nFor example: ${command}`;
  return `StudyMate needs programs that are not installed here:\n${lines.join('\n')}${how}`;
}

const policyPath = '/usr/sbin/policy-rc.d';

/**
 * Debian starts a server as soon as its package is installed. Ours start their own with their own data, so for the
 * time of the installation a policy forbids that; a policy that somebody else has put there is left as it is.
 */
async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (args) => runCommand({ command: 'apt-get', args: ['-o', 'DPkg::Lock::Timeout=120', ...args], env });
  const policy = '#!/bin/sh\n# StudyMate set-up: do not start services while their packages are installed\nexit 101\n';
  const ours = await writeFile(policyPath, policy, { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    const install = ['install', '--yes', '--no-install-recommends', ...packages];
    // A container image comes without package lists, and old lists name files that are gone.
    await apt(install).catch(async () => {
      await apt(['update']);
      await apt(install);
    });
  } finally {
    if (ours && (await readFile(policyPath, 'utf8').catch(() => '')) === policy) await rm(policyPath, { force: true });
  }
}
