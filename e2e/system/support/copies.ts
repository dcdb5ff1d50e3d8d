import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../../scripts/lib/ports.mjs';
import { startService } from '../../../scripts/lib/services.mjs';
import { startRedis } from '../../../scripts/redis.mjs';
import { rootDir } from '../../support/running-system.ts';
import { type Gateway, startGateway } from './gateway.ts';

export interface ApiCopy {
  /** host:port of the public listener, as the gateway knows it. */
  address: string;
  internalPort: number;
  child: Awaited<ReturnType<typeof startService>>['child'];
}

export interface Copies {
  gateway: Gateway;
  apis: ApiCopy[];
  /** Port of the worker's internal listener, or null without one. */
  workerPort: number | null;
  dataDir: string;
  close(): Promise<void>;
}

/** Redis, so many built copies of the API, a worker if wanted, and nginx in front of the copies. */
export async function startCopies(options: {
  apis: number;
  worker?: boolean;
  /** Settings of all of them besides. */
  env?: Record<string, string>;
}): Promise<Copies> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-copies-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.reverse().splice(0)) await closer();
  };
  try {
    const redis = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
    closers.push(() => redis.close());
    const ports = await freePorts(options.apis * 2 + 1);
    const workerPort = ports[options.apis * 2] as number;
    const dataDir = path.join(dir, 'data');
    const start = async (app: 'api' | 'worker', name: string, healthUrl: string, settings: Record<string, string>) => {
      const { child } = await startService({
        app,
        rootDir,
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          REDIS_URL: redis.url,
          DATA_DIR: dataDir,
          ...options.env,
          ...settings,
        },
        logPath: path.join(dir, `${name}.log`),
        healthUrl,
        timeoutMs: 120_000,
        onStarted: (stop: () => Promise<void>) => closers.push(stop),
      });
      return child;
    };
    const apis: ApiCopy[] = [];
    for (let i = 0; i < options.apis; i++) {
      const [port, internalPort] = ports.slice(i * 2) as [number, number];
      const address = `127.0.0.1:${port}`;
      const child = await start('api', `api-${i}`, `http://${address}/health/ready`, {
        PORT: String(port),
        INTERNAL_PORT: String(internalPort),
      });
      apis.push({ address, internalPort, child });
    }
    if (options.worker) {
      await start('worker', 'worker', `http://127.0.0.1:${workerPort}/health/ready`, {
        WORKER_INTERNAL_PORT: String(workerPort),
      });
    }
    const gateway = await startGateway(apis.map((api) => api.address));
    closers.push(() => gateway.close());
    return { gateway, apis, workerPort: options.worker ? workerPort : null, dataDir, close };
  } catch (error) {
    await close();
    throw error;
  }
}
