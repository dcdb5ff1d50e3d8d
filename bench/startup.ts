import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../scripts/lib/ports.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { median, round, spread } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'spawn → first 200 and everything loaded, API and worker beside bare node:http and bare Express [rounds] [--cold]';

const bareHttp = `import http from 'node:http';
http.createServer((_, res) => res.end('{"status":"ok"}')).listen(Number(process.env.PORT), '127.0.0.1');`;
const bareExpress = `import express from 'express';
const app = express();
app.get('/health/fast', (_, res) => { res.json({ status: 'ok' }); });
app.listen(Number(process.env.PORT), '127.0.0.1');`;

/** Resolves with whether the address answers 200. */
function isUp(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const req = http.get(url, { agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode === 200);
    });
    req.on('error', () => resolve(false));
  });
}

/** Memory of a process in MB (Linux), or null. */
async function residentMegabytes(child: ChildProcess): Promise<number | null> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kilobytes ? Number(kilobytes) / 1024 : null;
}

interface Start {
  first200Seconds: number;
  /** Until everything is loaded, Redis answers and the data folder can be written. */
  readySeconds: number | null;
  megabytes: number | null;
}

/** The API as it is built, but without its code cache, to see what that brings. */
async function copyWithoutCodeCache(dir: string): Promise<string> {
  const dist = path.join(dir, 'apps/api/dist');
  await cp(path.join(BENCH_ROOT, 'apps/api/dist'), dist, { recursive: true });
  for (const file of await readdir(dist)) if (file.endsWith('.cache')) await rm(path.join(dist, file));
  return path.join(dist, 'main.js');
}

/** Empties the page cache of the whole machine (Linux, root only), as after a start of the machine. */
async function dropPageCache(): Promise<void> {
  await promisify(execFile)('sync');
  await writeFile('/proc/sys/vm/drop_caches', '1').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--cold needs Linux and root: ${error.message}`);
  });
}

/**
 * Alternates the candidates, so that a busy moment of the machine hits them alike; the ratios are medians of the ratios
 * within a round.
 */
export async function run(args: string[], note: (text: string) => void) {
  const isCold = args.includes('--cold');
  const rounds = Number(args.find((arg) => /^\d+$/.test(arg)) ?? 9);
  const dir = await mkdtemp(path.join(BENCH_ROOT, 'node_modules/.bench-startup-'));
  const redis = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
  try {
    await writeFile(path.join(dir, 'http.mjs'), bareHttp);
    await writeFile(path.join(dir, 'express.mjs'), bareExpress);
    const api = { probe: '/health/fast', ready: '/health/ready' };
    const bare = { probe: '/health/fast', ready: null };
    const candidates = {
      nodeHttp: { program: path.join(dir, 'http.mjs'), ...bare },
      express: { program: path.join(dir, 'express.mjs'), ...bare },
      api: { program: path.join(BENCH_ROOT, 'apps/api/dist/main.js'), ...api },
      apiWithoutCodeCache: { program: await copyWithoutCodeCache(dir), ...api },
      worker: { program: path.join(BENCH_ROOT, 'apps/worker/dist/main.js'), ...api, probe: '/health/live' },
    };
    type Name = keyof typeof candidates;
    const starts: Record<Name, Start[]> = { nodeHttp: [], express: [], api: [], apiWithoutCodeCache: [], worker: [] };
    for (let i = 0; i < rounds; i++) {
      for (const [name, candidate] of Object.entries(candidates) as [Name, (typeof candidates)[Name]][]) {
        if (isCold) await dropPageCache();
        const start = await measure(name, candidate, redis.url);
        starts[name].push(start);
        note(`${i + 1}/${rounds} ${name} ${Math.round(start.first200Seconds * 1000)} ms`);
      }
    }
    const summary = (name: Name) => {
      const ready = starts[name].flatMap(({ readySeconds }) => readySeconds ?? []);
      return {
        first200Seconds: spread(starts[name].map((start) => start.first200Seconds)),
        ...(ready.length > 0 && { readySeconds: spread(ready) }),
        residentMegabytes: round(median(starts[name].map(({ megabytes }) => megabytes ?? Number.NaN)), 0),
      };
    };
    const ratio = (name: Name, other: Name, field: 'first200Seconds' | 'readySeconds') =>
      round(median(starts[name].map((start, i) => (start[field] ?? Number.NaN) / (starts[other][i]?.[field] ?? 0))), 2);
    return {
      pageCache: isCold ? 'cold' : 'warm',
      rounds,
      node: process.version,
      ...Object.fromEntries((Object.keys(candidates) as Name[]).map((name) => [name, summary(name)])),
      ratios: {
        apiFirst200OverNodeHttp: ratio('api', 'nodeHttp', 'first200Seconds'),
        apiFirst200OverExpress: ratio('api', 'express', 'first200Seconds'),
        apiReadyOverReadyWithoutCodeCache: ratio('api', 'apiWithoutCodeCache', 'readySeconds'),
      },
    };
  } finally {
    await redis.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  name: string,
  candidate: { program: string; probe: string; ready: string | null },
  redisUrl: string,
): Promise<Start> {
  const [port, internalPort, workerPort] = (await freePorts(3)) as [number, number, number];
  const dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-bench-'));
  const env = {
    ...process.env,
    PORT: String(port),
    INTERNAL_PORT: String(internalPort),
    WORKER_INTERNAL_PORT: String(workerPort),
    REDIS_URL: redisUrl,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
  };
  const base = `http://127.0.0.1:${name === 'worker' ? workerPort : port}`;
  const startedMs = performance.now();
  const child = spawn(process.execPath, [candidate.program], { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    const until = async (url: string): Promise<number> => {
      while (!(await isUp(url))) {
        if (performance.now() - startedMs > 30_000) throw new Error(`${name} does not answer at ${url}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return (performance.now() - startedMs) / 1000;
    };
    const first200Seconds = await until(`${base}${candidate.probe}`);
    const readySeconds = candidate.ready ? await until(`${base}${candidate.ready}`) : null;
    return { first200Seconds, readySeconds, megabytes: await residentMegabytes(child) };
  } finally {
    child.kill('SIGTERM');
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  }
}
