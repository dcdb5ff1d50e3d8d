import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDemandHistory, hourMs } from '@studymate/queue/demand-history';
import { createKeys } from '@studymate/queue/keys';
import { createRedis } from '@studymate/queue/redis';
import { afterEach, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from './support/running-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(settings: Record<string, string> = {}): Promise<RunningSystem> {
  const system = await startSystem(settings);
  closers.push(() => system.close());
  return system;
}

async function readReadiness(system: RunningSystem) {
  const response = await fetch(`${system.workerUrl}/health/ready`);
  return (await response.json()) as { lastProgressAt: string | null; models: { family: string; state: string }[] };
}

const stateOf = async (system: RunningSystem, family: string) =>
  (await system.client.modelStatus()).find((status) => status.family === family);

test('a model that is warmed up is there for the first clip; the worker says when it last got on', async () => {
  const system = await start();
  expect(await readReadiness(system)).toMatchObject({ lastProgressAt: null });
  expect((await system.client.warmup(['speech'])).map(({ family, state }) => `${family} ${state}`)).toEqual([
    'speech unloaded',
  ]);
  await expect
    .poll(() => stateOf(system, 'speech'))
    .toMatchObject({ state: 'ready', workers: 1, readyWorkers: 1, failureCode: null });
  const status = await stateOf(system, 'speech');
  expect(status?.memoryBytes).toBeGreaterThan(100_000_000);
  expect(status?.expectedLoadSeconds).toBe(status?.lastLoadSeconds);
  expect(await stateOf(system, 'text')).toMatchObject({ state: 'unloaded', memoryBytes: null, workers: 1 });

  const beforeMs = Date.now();
  const clip = await excerpt('clip.wav', 19, 3, ['-ac', '1', '-ar', '16000']);
  const { timings } = await system.client.transcribe(clip, { language: 'en' });
  expect(timings).toMatchObject({ cold: false, modelLoadSeconds: 0 });
  const { lastProgressAt } = await readReadiness(system);
  expect(Date.parse(lastProgressAt ?? '')).toBeGreaterThanOrEqual(beforeMs);
});

test('KEEP_WARM: loaded by itself after the start, and by no job', async () => {
  const system = await start({ KEEP_WARM: 'text', MODEL_TTL_SECONDS: '1' });
  await expect.poll(() => stateOf(system, 'text')).toMatchObject({ state: 'ready' });
  expect(await stateOf(system, 'speech')).toMatchObject({ state: 'unloaded' });
});

test('PREDICTIVE_WARMING: a worker loads what this hour of last week used, by itself, and nothing else', async () => {
  const system = await start({ PREDICTIVE_WARMING: 'true', MODEL_TTL_SECONDS: '1' });
  const redis = createRedis({ url: system.redisUrl, kind: 'consumer', onError: () => {} });
  closers.unshift(async () => redis.disconnect());
  const hour = Math.floor(Date.now() / hourMs);
  // The next hour, too: this one may be over before the worker looks.
  const uses = new Map([hour, hour + 1].map((each) => [each - 7 * 24, 5] as const));
  await createDemandHistory({ redis, keys: createKeys('{sm}') }).add('text', uses);
  await system.startExtraWorker();
  await expect.poll(() => stateOf(system, 'text')).toMatchObject({ state: 'ready' });
  expect(await stateOf(system, 'speech')).toMatchObject({ state: 'unloaded' });
});

test('PRELOAD_MODELS: a worker is ready with every model loaded', async () => {
  const system = await start({ PRELOAD_MODELS: 'true' });
  const { models } = await readReadiness(system);
  expect(models.map(({ family, state }) => `${family} ${state}`)).toEqual(['speech ready', 'text ready']);
});

test('PRELOAD_MODELS with weights that are damaged: one line that names the file, status 1', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-damaged-'));
  closers.push(() => rm(dir, { recursive: true }));
  const whisper = path.join(dir, 'models/whisper-base');
  await cp(path.join(rootDir, 'models/whisper-base'), whisper, { recursive: true });
  await truncate(path.join(whisper, 'onnx/encoder_model_quantized.onnx'), 1_000_000);
  const child = spawn(process.execPath, [path.join(rootDir, 'apps/worker/dist/main.js')], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      DATA_DIR: path.join(dir, 'data'),
      MODELS_DIR: path.join(dir, 'models'),
      PRELOAD_MODELS: 'true',
      INTERNAL_PORT: '0',
      // No Redis is needed to find out.
      REDIS_URL: 'redis://127.0.0.1:1',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^PRELOAD_MODELS: The file onnx\/encoder_model_quantized\.onnx of the model folder \S+ is damaged: .*\n$/,
  );
});
