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
  '/health/fast and posted texts: requests a second beside bare node:http and bare Express; latency while a lecture is transcribed';

const bareHttp = `import http from 'node:http';
http.createServer((_, res) => {
  const body = JSON.stringify({ status: 'ok', timestamp: new Date().toISOString() });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}).listen(Number(process.env.PORT), '127.0.0.1', () => process.send('up'));`;

const bareExpress = `import express from 'express';
const app = express();
app.use(express.json());
app.post('/', (req, res) => res.json({ summary: req.body.text, sentences: [{ text: req.body.text, index: 0 }] }));
app.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('up'));`;

const text = 'Printing with movable type was a process for making many copies of a text at the price of one.';
const posted = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text }) };

/** A server of a few lines, as a process of its own. */
async function startBare(dir: string, name: string, source: string) {
  const program = path.join(dir, `${name}.mjs`);
  await writeFile(program, source);
  const [port] = (await freePorts(1)) as [number];
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  await once(child, 'message');
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      child.kill();
      await exited;
    },
  };
}

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

function ask(url: string, agent: http.Agent, sent: Sent = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const { body, ...options } = sent;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = http.request(url, { ...options, agent, headers: { ...options.headers, ...length } }, (res) => {
      res.resume();
      res.on('end', () => resolve(performance.now() - startMs));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Requests a second over 20 connections that each ask again as soon as they are answered. */
async function throughput(url: string, seconds: number, sent?: Sent): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const endMs = performance.now() + seconds * 1000;
  let count = 0;
  const loop = async () => {
    while (performance.now() < endMs) {
      await ask(url, agent, sent);
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
    while (pending.length < due) pending.push(ask(url, agent));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const all = await Promise.all(pending);
  agent.destroy();
  return all;
}

export async function run(_args: string[], note: (text: string) => void) {
  const dir = await mkdtemp(path.join(BENCH_ROOT, 'node_modules/.bench-health-'));
  const system = await startSystem();
  const bare = await startBare(dir, 'http', bareHttp);
  const express = await startBare(dir, 'express', bareExpress);
  try {
    const ratios: number[] = [];
    const ours: number[] = [];
    for (let i = 0; i < 7; i++) {
      const reference = await throughput(bare.url, 1.5);
      const api = await throughput(`${system.baseUrl}/health/fast`, 1.5);
      ratios.push(api / reference);
      ours.push(api);
      note(`${i + 1}/7 ${Math.round(api)} of ${Math.round(reference)} requests a second`);
    }
    // The first one is made by the model; the others are kept: what is measured is the way through the API.
    const postUrl = `${system.baseUrl}/api/v1/summarize`;
    await ask(postUrl, new http.Agent(), posted);
    const postRatios: number[] = [];
    const posts: number[] = [];
    for (let i = 0; i < 5; i++) {
      const reference = await throughput(express.url, 1.5, posted);
      const api = await throughput(postUrl, 1.5, posted);
      postRatios.push(api / reference);
      posts.push(api);
      note(`${i + 1}/5 ${Math.round(api)} of ${Math.round(reference)} posts a second`);
    }
    const file = path.join(BENCH_ROOT, 'samples/history-of-printing.mp3');
    const { id } = await system.client.uploadLecture(await openAsBlob(file), { fileName: 'sample.mp3' });
    for await (const event of system.client.followLecture(id)) if (event.type === 'segments') break;
    const busy = await latencies(`${system.baseUrl}/health/fast`, 200, 4);
    const { status } = await system.client.getLecture(id);
    return {
      requestsPerSecondMedian: Math.round(median(ours)),
      shareOfBareNodeHttpMedian: round(median(ratios), 2),
      postsPerSecondMedian: Math.round(median(posts)),
      shareOfBareExpressMedian: round(median(postRatios), 2),
      whileTranscribing: {
        requestsPerSecond: 200,
        milliseconds50: round(median(busy), 1),
        milliseconds99: round(quantile(busy, 0.99), 1),
        stillWorkingAtTheEnd: status === 'running',
      },
    };
  } finally {
    await bare.close();
    await express.close();
    await system.close();
    await rm(dir, { recursive: true, force: true });
  }
}
