import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { startSystem } from '../e2e/support/running-system.ts';
import { freePorts } from '../scripts/lib/ports.mjs';
import { median, quantile, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  '/health/fast: requests a second beside bare node:http, and its latency while a lecture is transcribed';

const bareHttp = `import http from 'node:http';
http.createServer((_, res) => {
  const body = JSON.stringify({ status: 'ok', timestamp: new Date().toISOString() });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}).listen(Number(process.env.PORT), '127.0.0.1', () => process.send('up'));`;

function get(url: string, agent: http.Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    http
      .get(url, { agent }, (res) => {
        res.resume();
        res.on('end', () => resolve(performance.now() - startMs));
      })
      .on('error', reject);
  });
}

/** Requests a second over 20 connections that each ask again as soon as they are answered. */
async function throughput(url: string, seconds: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const endMs = performance.now() + seconds * 1000;
  let count = 0;
  const loop = async () => {
    while (performance.now() < endMs) {
      await get(url, agent);
      count++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, loop));
  agent.destroy();
  return count / seconds;
}

/** Milliseconds of each of `rate` requests a second, sent on time whether or not earlier ones are answered. */
async function latencies(url: string, rate: number, seconds: number): Promise<number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  const pending: Promise<number>[] = [];
  const startMs = performance.now();
  while (pending.length < rate * seconds) {
    const due = Math.min(rate * seconds, Math.floor(((performance.now() - startMs) / 1000) * rate));
    while (pending.length < due) pending.push(get(url, agent));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const all = await Promise.all(pending);
  agent.destroy();
  return all;
}

export async function run(_args: string[], note: (text: string) => void) {
  const dir = await mkdtemp(path.join(BENCH_ROOT, 'node_modules/.bench-health-'));
  const system = await startSystem();
  const program = path.join(dir, 'http.mjs');
  await writeFile(program, bareHttp);
  const [port] = (await freePorts(1)) as [number];
  const bare = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(bare, 'exit');
  try {
    await once(bare, 'message');
    const ratios: number[] = [];
    const ours: number[] = [];
    for (let i = 0; i < 7; i++) {
      const reference = await throughput(`http://127.0.0.1:${port}/`, 1.5);
      const api = await throughput(`${system.baseUrl}/health/fast`, 1.5);
      ratios.push(api / reference);
      ours.push(api);
      note(`${i + 1}/7 ${Math.round(api)} of ${Math.round(reference)} requests a second`);
    }
    const file = path.join(BENCH_ROOT, 'samples/history-of-printing.mp3');
    const { id } = await system.client.uploadLecture(await openAsBlob(file), { fileName: 'sample.mp3' });
    for await (const event of system.client.followLecture(id)) if (event.type === 'segments') break;
    const busy = await latencies(`${system.baseUrl}/health/fast`, 200, 4);
    const { status } = await system.client.getLecture(id);
    return {
      requestsPerSecondMedian: Math.round(median(ours)),
      shareOfBareNodeHttpMedian: round(median(ratios), 2),
      whileTranscribing: {
        requestsPerSecond: 200,
        milliseconds50: round(median(busy), 1),
        milliseconds99: round(quantile(busy, 0.99), 1),
        stillWorkingAtTheEnd: status === 'running',
      },
    };
  } finally {
    bare.kill();
    await exited;
    await system.close();
    await rm(dir, { recursive: true, force: true });
  }
}
