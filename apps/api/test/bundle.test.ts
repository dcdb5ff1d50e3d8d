import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

/** The API as it is run: one bundle, in a process of its own. Built into a folder of the test's. */
const appDir = fileURLToPath(new URL('..', import.meta.url));
let dir: string;
let inputs: string[];
let child: ChildProcess | undefined;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-bundle-'));
  await symlink(path.join(appDir, 'src'), path.join(dir, 'src'));
  const bundler = new URL('../../../scripts/bundle.mjs', import.meta.url).href;
  await (await import(bundler)).bundleApp({ appDir: dir, codeCache: true });
  const meta = JSON.parse(await readFile(path.join(dir, 'dist/meta.json'), 'utf8')) as { inputs: object };
  inputs = Object.keys(meta.inputs);
  await symlink(path.resolve(appDir, '../../node_modules'), path.join(dir, 'node_modules'));
});
afterEach(() => {
  child?.kill('SIGKILL');
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

test('the bundle: reaches no library for models or sound', () => {
  expect(inputs.length).toBeGreaterThan(50);
  expect(
    inputs.filter((file) =>
      /node_modules\/(onnxruntime|@huggingface|sharp)|packages\/models\/|model-process/.test(file),
    ),
  ).toEqual([]);
});

test('the bundle: has its code cache beside it', async () => {
  const files = await readdir(path.join(dir, 'dist'));
  const [bundle] = files.filter((file) => file.endsWith('.cjs'));
  expect(files).toContain(`${bundle}.cache`);
  expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
});

test('the bundle with Redis away: answers /health/fast, is not ready, and stops on SIGTERM in good order', async () => {
  const started = spawn(process.execPath, [path.join(dir, 'dist/main.js')], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      INTERNAL_PORT: '0',
      DATA_DIR: path.join(dir, 'data'),
      // Nobody listens on a port that is reserved for something of long ago (tcpmux).
      REDIS_URL: 'redis://127.0.0.1:1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const exit = once(started, 'exit');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    started.stdout.on('data', (part) => {
      output += part;
      if (/API is ready.*\n/.test(output)) resolve();
    });
    started.once('exit', () => reject(new Error(`the API ended:\n${output}`)));
  });
  const [ready] = output.split('\n').flatMap((line) => (line.includes('API is ready') ? [JSON.parse(line)] : []));
  const url = `http://127.0.0.1:${ready.port}`;
  expect(await (await fetch(`${url}/health/fast`)).json()).toMatchObject({ status: 'ok' });
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${url}/api/v1/lectures`)).status).toBe(200);
  expect(Object.keys(ready.startup)).toEqual(['config', 'listening', 'loaded', 'ready']);
  started.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test('the bundle with a wrong configuration: every mistake is named and nothing is started', async () => {
  const started = spawn(process.execPath, [path.join(dir, 'dist/main.js')], {
    cwd: dir,
    env: { PATH: process.env.PATH, PORT: 'x', LOG_LEVEL: 'loud' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  child = started;
  let errors = '';
  started.stderr.on('data', (part) => {
    errors += part;
  });
  expect(await once(started, 'close')).toEqual([1, null]);
  expect(errors).toContain('PORT="x"');
  expect(errors).toContain('LOG_LEVEL="loud"');
});
