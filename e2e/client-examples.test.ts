import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from './support/running-system.ts';

let system: RunningSystem;
let dir: string;
let recording: string;
beforeAll(async () => {
  // Below node_modules, where the examples find the packages that they import.
  dir = await mkdtemp(path.join(rootDir, 'node_modules/.cache-examples-'));
  recording = path.join(dir, 'lecture.mp3');
  await writeFile(recording, Buffer.from(await (await excerpt('lecture.mp3', 0, 40)).arrayBuffer()));
  system = await startSystem();
});
afterAll(async () => {
  await system?.close();
  await rm(dir, { recursive: true, force: true });
});

/** The programs of docs/client.md, in its order. */
async function readExamples(): Promise<string[]> {
  const text = await readFile(path.join(rootDir, 'docs/client.md'), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program);
}

async function run(program: string, name: string): Promise<string> {
  const source = path.join(dir, `${name}.ts`);
  const outfile = path.join(dir, `${name}.mjs`);
  await writeFile(source, program);
  await build({ entryPoints: [source], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' });
  const env = { PATH: process.env.PATH, STUDYMATE_URL: system.baseUrl };
  const { stdout } = await promisify(execFile)(process.execPath, [outfile, recording], { env });
  return stdout;
}

test('the examples of docs/client.md do what they say', async () => {
  const [whole = '', following = '', texts = '', ...more] = await readExamples();
  expect(more).toEqual([]);
  const made = await run(whole, 'whole');
  expect(made).toMatch(/^transcribe done 1$/m);
  expect(made).toMatch(/\{ chapters: [1-9]\d*, statements: [1-9]\d* \}/);
  expect(made).toContain('WEBVTT');
  expect(await run(following, 'following')).toBe('cancelled\n409 lecture_cancelled\n');
  expect(await run(texts, 'texts')).toMatch(/^\S.*\.\n\{ topics: \d+ \}\n$/);
});
