import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createClient, type StudyMateClient } from '@studymate/client/client';
import { excerpt } from '../e2e/support/recordings.ts';
import { waitUntilOk } from '../scripts/lib/api-client.mjs';
import { startChild } from '../scripts/lib/children.mjs';
import { freePorts } from '../scripts/lib/ports.mjs';
import { startService } from '../scripts/lib/services.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { sampleOf } from './lib/prometheus.ts';
import { median, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'development, production, production with preloading: start-up, first request, later ones [rounds] [ENVIRONMENT]';

/** `npm run dev` builds in its own way to the same folders, so it comes last and what it left is built again. */
const environments = ['production', 'productionPreloaded', 'development'] as const;
type Environment = (typeof environments)[number];
const bundler = '../../scripts/bundle.mjs';
const laterRequests = 15;
const startTimeoutMs = 60_000;

interface Place {
  client: StudyMateClient;
  internalUrl: string;
  /** From the start of the command to the first 200 on /health/fast. */
  apiSeconds: number;
  /** From the start of the worker (in development: of the command) until it is ready. */
  workerSeconds: number;
  close(): Promise<void>;
}

async function start(environment: Environment): Promise<Place> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-environment-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.reverse().splice(0)) await closer();
  };
  try {
    const redis = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
    closers.push(() => redis.close());
    const [port, internalPort, workerPort] = (await freePorts(3)) as [number, number, number];
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      REDIS_URL: redis.url,
      DATA_DIR: path.join(dir, 'data'),
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
      WORKER_INTERNAL_PORT: String(workerPort),
      LOG_LEVEL: 'warn',
      PRELOAD_MODELS: String(environment === 'productionPreloaded'),
    };
    const apiUrl = `http://127.0.0.1:${port}`;
    const workerUrl = `http://127.0.0.1:${workerPort}/health/ready`;
    const place = { client: createClient({ baseUrl: apiUrl }), internalUrl: `http://127.0.0.1:${internalPort}`, close };
    if (environment === 'development') {
      const script = path.join(BENCH_ROOT, 'scripts/dev.mjs');
      const child = startChild({ name: 'dev', command: process.execPath, args: [script], env, cwd: BENCH_ROOT });
      closers.push(() => child.stop());
      const until = async (url: string) => {
        await waitUntilOk({ url, child, timeoutMs: startTimeoutMs, everyMs: 5 });
        return (performance.now() - child.startedMs) / 1000;
      };
      const [apiSeconds, workerSeconds] = await Promise.all([until(`${apiUrl}/health/fast`), until(workerUrl)]);
      return { ...place, apiSeconds, workerSeconds };
    }
    const run = async (app: 'api' | 'worker', healthUrl: string): Promise<number> => {
      const { startSeconds } = await startService({
        app,
        rootDir: BENCH_ROOT,
        env,
        logPath: path.join(dir, `${app}.log`),
        healthUrl,
        timeoutMs: startTimeoutMs,
        onStarted: (stop: () => Promise<void>) => closers.push(stop),
      });
      return startSeconds;
    };
    const apiSeconds = await run('api', `${apiUrl}/health/fast`);
    return { ...place, apiSeconds, workerSeconds: await run('worker', workerUrl) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function secondsOf(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return (performance.now() - startMs) / 1000;
}

/** One life of an environment: its start, the first request of two kinds, later ones, and what Prometheus saw. */
async function measure(environment: Environment, clip: File) {
  const place = await start(environment);
  try {
    const documents = Array.from(
      { length: 20 },
      (_, i) => `Sentence ${i} speaks of ${i % 2 ? 'movable type and printing' : 'stars and distant galaxies'}.`,
    );
    const calls = {
      clip: () => place.client.transcribe(clip, { language: 'en', fresh: true }),
      topics: () => place.client.topics({ documents }),
    };
    const figures: Record<string, number> = {
      apiFirst200Seconds: place.apiSeconds,
      workerReadySeconds: place.workerSeconds,
    };
    for (const [name, call] of Object.entries(calls)) {
      figures[`${name}FirstSeconds`] = await secondsOf(call);
      const later: number[] = [];
      for (let i = 0; i < laterRequests; i++) later.push(await secondsOf(call));
      figures[`${name}LaterSecondsP50`] = median(later);
    }
    const metrics = await (await fetch(`${place.internalUrl}/metrics`)).text();
    const first = (route: string) => {
      const cold = sampleOf(metrics, 'first_request_seconds_sum', { route, cold: 'true' });
      return cold ?? sampleOf(metrics, 'first_request_seconds_sum', { route, cold: 'false' }) ?? Number.NaN;
    };
    figures.prometheusApiListeningSeconds =
      sampleOf(metrics, 'app_startup_seconds_sum', { phase: 'listening' }) ?? Number.NaN;
    figures.prometheusApiReadySeconds = sampleOf(metrics, 'app_startup_seconds_sum', { phase: 'ready' }) ?? Number.NaN;
    figures.prometheusClipFirstSeconds = first('/api/v1/transcribe');
    figures.prometheusTopicsFirstSeconds = first('/api/v1/topics');
    return figures;
  } finally {
    await place.close();
  }
}

async function build(): Promise<void> {
  for (const [app, script] of Object.entries({ api: bundler, worker: bundler, web: 'build.mjs' })) {
    await promisify(execFile)(process.execPath, [script], { cwd: path.join(BENCH_ROOT, 'apps', app) });
  }
}

/** Medians over the rounds; the environments take turns. */
export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(args[0] ?? 3);
  const chosen = environments.filter((name) => args[1] === undefined || args[1] === name);
  const clip = await excerpt('clip.wav', 19, 5, ['-ac', '1', '-ar', '16000']);
  const all: Record<Environment, Record<string, number>[]> = {
    development: [],
    production: [],
    productionPreloaded: [],
  };
  for (let i = 0; i < rounds; i++) {
    for (const environment of chosen) {
      try {
        all[environment].push(await measure(environment, clip));
      } finally {
        if (environment === 'development') await build();
      }
      note(`${i + 1}/${rounds} ${environment}`);
    }
  }
  const medians = (lives: Record<string, number>[]) =>
    Object.fromEntries(
      Object.keys(lives[0] ?? {}).map((name) => [name, round(median(lives.map((life) => life[name] ?? Number.NaN)))]),
    );
  return { ...Object.fromEntries(chosen.map((name) => [name, medians(all[name])])), rounds };
}
