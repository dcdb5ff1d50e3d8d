import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimFolder } from '../lib/workspace-folder.mjs';

let parentDir: string;
beforeEach(async () => {
  parentDir = await mkdtemp(path.join(tmpdir(), 'studymate-claim-'));
});
afterEach(() => rm(parentDir, { recursive: true, force: true }));

test('a folder that is claimed is not given to a second demo, and is free after its release', () => {
  const first = claimFolder(parentDir);
  const second = claimFolder(parentDir);
  expect([first.dir, second.dir].map((dir) => path.basename(dir))).toEqual(['1', '2']);
  first.release();
  expect(claimFolder(parentDir).dir).toBe(first.dir);
});

test('the folder of a demo that was killed is given to the next one', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const first = claimFolder(parentDir);
  await writeFile(path.join(first.dir, 'lock'), String(dead));
  expect(claimFolder(parentDir).dir).toBe(first.dir);
});
