import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pruneModules } from '../prune-modules.mjs';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-prune-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function add(name: string, manifest: object = {}): Promise<void> {
  await mkdir(path.join(dir, name), { recursive: true });
  await writeFile(path.join(dir, name, 'package.json'), JSON.stringify({ name, ...manifest }));
}

test('a package that is kept: with all that it needs, scoped, optional and its own; the rest goes, but no links', async () => {
  await add('a', { dependencies: { '@s/b': '1', c: '1' }, optionalDependencies: { gone: '1' } });
  await add('@s/b', {
    dependencies: { a: '1' },
    peerDependencies: { peer: '1', left: '1' },
    peerDependenciesMeta: { left: { optional: true } },
  });
  await add('@s/other');
  await add('c', { dependencies: { d: '1' } });
  await add('d');
  await add('a/node_modules/c', { dependencies: { e: '1' } });
  await add('e');
  await add('peer');
  await add('left');
  await symlink('.', path.join(dir, 'own'));
  expect(pruneModules(dir, { keep: ['a'] }).sort()).toEqual(['@s/other', 'c', 'd', 'left']);
  for (const name of ['a', '@s/b', 'a/node_modules/c', 'e', 'peer', 'own']) {
    expect(existsSync(path.join(dir, name)), name).toBe(true);
  }
  expect(existsSync(path.join(dir, 'left'))).toBe(false);
});

test('a package that is not wanted although it is named, and one that is not there', async () => {
  await add('a', { dependencies: { large: '1' } });
  await add('large');
  expect(pruneModules(dir, { keep: ['a'], without: ['large'] })).toEqual(['large']);
  expect(() => pruneModules(dir, { keep: ['nothing'] })).toThrow(/nothing is not in/);
});
