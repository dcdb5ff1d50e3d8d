// Completes package-lock.json for other systems: `node scripts/complete-lock.mjs [--check]`.
//
// Tools such as esbuild and Biome come as one optional package for each system. npm leaves out of the lock file those
// that the registry in use does not offer (a mirror may lag behind, or hold one system only), and `npm ci` then
// refuses the whole file, on every system. What is missing is pinned by the package that wants it, so the entry can be
// written without asking anybody; npm adds the checksum when it first installs from a registry that has it.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const systems = [
  [/(^|[-/])(windows|win32)-/, 'win32'],
  ...['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'netbsd', 'openbsd', 'sunos', 'aix'].map((os) => [
    new RegExp(`(^|[-/])${os}-`),
    os,
  ]),
];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'arm'];

/**
 * Entries for the optional packages that the lock file wants and does not have. Only packages whose name tells the
 * system and whose version is exact are taken; any other gap is an error of the lock file, and left for npm to report.
 *
 * @param {{packages: Record<string, any>}} lock
 * @returns {Record<string, object>}
 */
export function missingEntries(lock) {
  const missing = {};
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const known = Object.keys(lock.packages).some((place) => place === key || place.endsWith(`/${key}`));
      const platform = platformOf(name);
      if (known || platform === null || !/^\d+\.\d+\.\d+[-.\w]*$/.test(version)) continue;
      missing[key] = { version, ...platform, ...(parent.dev ? { dev: true } : {}), optional: true };
    }
  }
  return missing;
}

/** "@oxc-parser/binding-linux-x64-musl" → {cpu: ['x64'], libc: ['musl'], os: ['linux']} */
function platformOf(name) {
  const os = systems.find(([pattern]) => pattern.test(name))?.[1];
  if (os === undefined) return null;
  const cpu = processors.find((processor) => name.includes(`-${processor}`)) ?? (/-64$/.test(name) ? 'x64' : undefined);
  if (cpu === undefined) return null;
  const libc = os !== 'linux' ? undefined : /musl/.test(name) ? 'musl' : /gnu/.test(name) ? 'glibc' : undefined;
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }), os: [os] };
}

function main() {
  const lockPath = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockPath, 'utf8'));
  const missing = missingEntries(lock);
  const names = Object.keys(missing);
  console.log(names.length === 0 ? 'the lock file is complete' : `missing: ${names.join(' ')}`);
  if (names.length === 0) return;
  if (process.argv.includes('--check')) {
    process.exitCode = 1;
    return;
  }
  const sorted = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(lockPath, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
