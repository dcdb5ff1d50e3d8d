// Removes from a node_modules folder what bundled programs do not load from there, for small images:
// `node scripts/prune-modules.mjs NODE_MODULES [--without NAME]… NAME…` keeps the named packages, all that they depend on
// (optional peers must be named), and links to packages of our own. Node's own modules only.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Names of the packages that lie directly in the folder, with their scope. */
function listPackages(dir) {
  return readdirSync(dir).flatMap((name) => {
    if (name.startsWith('.')) return [];
    if (!name.startsWith('@')) return [name];
    return readdirSync(path.join(dir, name)).map((each) => `${name}/${each}`);
  });
}

/**
 * @param {string} dir the node_modules folder
 * @param {object} options
 * @param {string[]} options.keep packages that are loaded by name
 * @param {string[]} [options.without] packages that are not wanted although something names them
 * @returns {string[]} names of what was removed
 * @throws {Error} when one that is to be kept is not there
 */
export function pruneModules(dir, { keep, without = [] }) {
  const wanted = new Set();
  /** @param from folder of the package that asks: what lies in its own node_modules stays with it */
  const want = (name, from, isOptional) => {
    const nested = path.join(from, 'node_modules', name);
    const isNested = from !== dir && existsSync(nested);
    const folder = isNested ? nested : path.join(dir, name);
    if (without.includes(name) || (!isNested && wanted.has(name))) return;
    if (!existsSync(path.join(folder, 'package.json'))) {
      if (isOptional) return;
      throw new Error(`${name} is not in ${dir}`);
    }
    if (!isNested) wanted.add(name);
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    for (const each of Object.keys(manifest.optionalDependencies ?? {})) want(each, folder, true);
    for (const each of Object.keys(manifest.dependencies ?? {})) {
      want(each, folder, Object.hasOwn(manifest.optionalDependencies ?? {}, each));
    }
    for (const each of Object.keys(manifest.peerDependencies ?? {})) {
      if (!manifest.peerDependenciesMeta?.[each]?.optional) want(each, folder, true);
    }
  };
  for (const name of keep) want(name, dir, false);
  const removed = listPackages(dir).filter(
    (name) => !wanted.has(name) && !lstatSync(path.join(dir, name)).isSymbolicLink(),
  );
  for (const name of removed) rmSync(path.join(dir, name), { recursive: true });
  return removed;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [dir, ...rest] = process.argv.slice(2);
  const without = rest.filter((_, i) => rest[i - 1] === '--without');
  const keep = rest.filter((name) => name !== '--without' && !without.includes(name));
  if (dir === undefined || keep.length === 0) {
    console.error('usage: node scripts/prune-modules.mjs NODE_MODULES [--without NAME]… NAME…');
    process.exit(2);
  }
  const removed = pruneModules(path.resolve(dir), { keep, without });
  console.error(`${removed.length} packages were removed from ${dir}`);
}
