import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPage } from '../build.mjs';

const maxCompressedBytes = 30 * 1024;

let outDir: string;
let html: string;
beforeAll(async () => {
  outDir = await mkdtemp(path.join(tmpdir(), 'studymate-page-'));
  await buildPage({ outDir });
  html = await readFile(path.join(outDir, 'index.html'), 'utf8');
});
afterAll(() => rm(outDir, { recursive: true }));

const listFiles = async () =>
  (await readdir(outDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(outDir, path.join(entry.parentPath, entry.name)))
    .sort();

describe('the built page', () => {
  test('is four files, and those that may be kept for ever have a hash in their names', async () => {
    const files = await listFiles();
    const withoutHash = files.map((file) => file.replace(/-[0-9A-Z]{8}(?=\.)/, '-HASH')).sort();
    expect(withoutHash).toEqual(['assets/app-HASH.css', 'assets/app-HASH.js', 'icon.svg', 'index.html']);
    for (const file of files.filter((name) => name !== 'index.html')) expect(html).toContain(`"${file}"`);
  });

  test('takes no more than 30 KB, compressed', async () => {
    let bytes = 0;
    for (const file of await listFiles())
      bytes += gzipSync(await readFile(path.join(outDir, file)), { level: 9 }).length;
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThanOrEqual(maxCompressedBytes);
  });

  test('needs no exception from a strict policy: nothing inline, nothing from elsewhere, no text made into code', async () => {
    expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=/);
    for (const [, address] of html.matchAll(/\s(?:src|href)="([^"]*)"/g)) expect(address).not.toMatch(/^(\w+:|\/\/)/);
    const script = await readFile(
      path.join(outDir, (await listFiles()).find((file) => file.endsWith('.js')) ?? ''),
      'utf8',
    );
    expect(script).not.toMatch(/\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function)\b\s*[(=]/);
  });

  test('is replaced by a second build without a file of the first one being left', async () => {
    const before = await listFiles();
    await buildPage({ outDir, minify: false });
    const after = await listFiles();
    expect(after).toHaveLength(before.length);
    expect(after.filter((file) => file.startsWith('assets/') && before.includes(file))).toEqual([]);
  });
});
