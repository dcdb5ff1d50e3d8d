import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type StudyMateClient } from '@studymate/client/client';
import { freePorts } from '../../scripts/lib/ports.mjs';
import { startService } from '../../scripts/lib/services.mjs';
import { startRedis } from '../../scripts/redis.mjs';

export const rootDir = path.resolve(import.meta.dirname, '../..');

export type Child = Awaited<ReturnType<typeof startService>>['child'];

export interface RunningSystem {
  client: StudyMateClient;
  baseUrl: string;
  internalUrl: string;
  workerUrl: string;
  dataDir: string;
  redisUrl: string;
  worker(): Child;
  api(): Child;
  /** Every API and worker that was started and has not ended. */
  services(): Child[];
  startWorker(): Promise<Child>;
  startApi(): Promise<Child>;
  /** One more worker, on a port of its own, with further settings; `worker()` stays what it was. */
  startExtraWorker(settings?: Record<string, string>): Promise<Child & { url: string }>;
  /** kill -9 of Redis; its append-only file stays. */
  killRedis(): Promise<void>;
  /** Redis again under its old address, with what it had written or with nothing. */
  restartRedis(options?: { withoutData?: boolean }): Promise<void>;
  /** What the workers have logged so far, all of their lives together. */
  readWorkerLogs(): Promise<string>;
  /** The same of workers and APIs. */
  readLogs(): Promise<string>;
  close(): Promise<void>;
}

/** The built API and worker with a data folder of their own, and a Redis unless REDIS_URL names one, as processes. */
export async function startSystem(settings: Record<string, string> = {}): Promise<RunningSystem> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-e2e-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.reverse().splice(0)) await closer();
  };
  try {
    const redisDir = path.join(dir, 'redis');
    let redis = settings.REDIS_URL === undefined ? await startRedis({ dataDir: redisDir }) : null;
    closers.push(async () => redis?.close());
    const redisUrl = settings.REDIS_URL ?? redis?.url ?? '';
    const ownRedis = () => {
      if (!redis) throw new Error('the Redis is somebody else’s');
      return redis;
    };
    const [port, internalPort, workerPort] = (await freePorts(3)) as [number, number, number];
    const dataDir = path.join(dir, 'data');
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      REDIS_URL: redisUrl,
      DATA_DIR: dataDir,
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
      WORKER_INTERNAL_PORT: String(workerPort),
      // Tests look again and again, more often than people do.
      RATE_LIMIT: 'off',
      ...settings,
    };
    const logs: string[] = [];
    const started: Child[] = [];
    const children: Partial<Record<'api' | 'worker', Child>> = {};
    const start = async (
      app: 'api' | 'worker',
      healthUrl: string,
      extraEnv: Record<string, string> = {},
    ): Promise<Child> => {
      const logPath = path.join(dir, `${app}-${logs.length}.log`);
      logs.push(logPath);
      const { child } = await startService({
        app,
        rootDir,
        env: { ...env, ...extraEnv },
        logPath,
        healthUrl,
        timeoutMs: 120_000,
        onStarted: (stop: () => Promise<void>, each: Child) => {
          started.push(each);
          closers.push(stop);
        },
      });
      return child;
    };
    const running = (app: 'api' | 'worker'): Child => {
      const child = children[app];
      if (!child) throw new Error(`${app} was not started`);
      return child;
    };
    const baseUrl = `http://127.0.0.1:${port}`;
    const workerUrl = `http://127.0.0.1:${workerPort}`;
    const startApi = async () => {
      children.api = await start('api', `${baseUrl}/health/fast`);
      return children.api;
    };
    const startWorker = async () => {
      children.worker = await start('worker', `${workerUrl}/health/ready`);
      return children.worker;
    };
    await startApi();
    await startWorker();
    return {
      client: createClient({ baseUrl }),
      baseUrl,
      internalUrl: `http://127.0.0.1:${internalPort}`,
      workerUrl,
      dataDir,
      redisUrl,
      worker: () => running('worker'),
      api: () => running('api'),
      services: () => started.filter((child) => child.ended() === null),
      startWorker,
      startApi,
      async startExtraWorker(extra = {}) {
        const [extraPort] = (await freePorts(1)) as [number];
        const url = `http://127.0.0.1:${extraPort}`;
        const child = await start('worker', `${url}/health/ready`, {
          WORKER_INTERNAL_PORT: String(extraPort),
          ...extra,
        });
        return { ...child, url };
      },
      async killRedis() {
        ownRedis().child.signal('SIGKILL');
        await ownRedis().child.exited;
      },
      async restartRedis({ withoutData = false } = {}) {
        const { port: redisPort } = ownRedis();
        if (withoutData) await rm(redisDir, { recursive: true });
        redis = await startRedis({ dataDir: redisDir, port: redisPort });
      },
      readWorkerLogs: () => readAll(logs.filter((file) => path.basename(file).startsWith('worker'))),
      readLogs: () => readAll(logs),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readAll(files: string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
}
