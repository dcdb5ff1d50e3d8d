import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildPage } from '../build.mjs';

const maxFirstBytes = 61 * 1024;
const maxLaterBytes = 41 * 1024;

let outDir: string;
let html: string;
beforeAll(async () => {
  outDir = await mkdtemp(path.join(tmpdir(), 'studymate-page-'));
  // As it is built for use: the test runner's own word would leave checks for developers in.
  vi.stubEnv('NODE_ENV', 'production');
  await buildPage({ outDir });
  vi.unstubAllEnvs();
  html = await readFile(path.join(outDir, 'index.html'), 'utf8');
});
afterAll(() => rm(outDir, { recursive: true }));

const listFiles = async () =>
  (await readdir(outDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(outDir, path.join(entry.parentPath, entry.name)))
    .sort();

describe('the built page', () => {
  test('is four files and parts, and those that may be kept for ever have a hash in their names', async () => {
    const files = await listFiles();
    const withoutHash = new Set(files.map((file) => file.replace(/-[\w-]{8}(?=\.)/, '-HASH')));
    const assets = ['assets/app-HASH.css', 'assets/app-HASH.js', 'assets/part-HASH.js'];
    const expected = [...assets.flatMap((file) => [file, `${file}.br`]), 'icon.svg', 'index.html'];
    expect([...withoutHash].sort()).toEqual(expected);
    // What is needed later is not asked for at first.
    for (const file of files.filter((name) => name !== 'index.html' && !name.endsWith('.br'))) {
      expect(html.includes(`"./${file}"`)).toBe(!file.includes('/part-'));
    }
  });

  test('lies there compressed as well, so that nobody has to do it when it is asked for', async () => {
    for (const file of (await listFiles()).filter((name) => name.endsWith('.br'))) {
      const plain = await readFile(path.join(outDir, file.slice(0, -3)));
      expect(brotliDecompressSync(await readFile(path.join(outDir, file)))).toEqual(plain);
    }
  });

  test('takes no more than 61 KB at first and 41 KB later, compressed', async () => {
    const bytes = { first: 0, later: 0 };
    for (const file of (await listFiles()).filter((name) => !name.endsWith('.br'))) {
      const { length } = gzipSync(await readFile(path.join(outDir, file)), { level: 9 });
      bytes[file.includes('/part-') ? 'later' : 'first'] += length;
    }
    expect(bytes.first).toBeGreaterThan(5_000);
    expect(bytes.first).toBeLessThanOrEqual(maxFirstBytes);
    expect(bytes.later).toBeLessThanOrEqual(maxLaterBytes);
  });

  test('needs no exception from a strict policy: nothing inline, nothing from elsewhere, no text made into code', async () => {
    expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=/);
    for (const [, address] of html.matchAll(/\s(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^\.\//);
    const scripts = (await listFiles()).filter((file) => file.endsWith('.js'));
    const script = (await Promise.all(scripts.map((file) => readFile(path.join(outDir, file), 'utf8')))).join('\n');
    expect(script).not.toMatch(/\b(outerHTML|insertAdjacentHTML|document\.write|eval|Function)\b\s*[(=]/);
  });

  test('makes no markup of strings: what users write stays text', async () => {
    const files = await readdir(path.join(import.meta.dirname, '../src'), { recursive: true, withFileTypes: true });
    const sources = files.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
    const found: string[] = [];
    for (const source of sources) {
      if (/innerHTML|dangerouslySetInnerHTML|srcdoc/i.test(await readFile(source, 'utf8'))) found.push(source);
    }
    expect(sources.length).toBeGreaterThan(30);
    expect(found).toEqual([]);
  });

  test('is replaced by a second build without a file of the first one being left', async () => {
    const before = await listFiles();
    await buildPage({ outDir, minify: false });
    const after = await listFiles();
    expect(after).toHaveLength(before.length);
    expect(after.filter((file) => file.startsWith('assets/') && before.includes(file))).toEqual([]);
  });
});
