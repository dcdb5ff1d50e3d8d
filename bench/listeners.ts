import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@studymate/client/client';
import type { TranscribedChunk } from '@studymate/contracts/artifacts';
import { createEventPublisher } from '@studymate/queue/events';
import { createKeys } from '@studymate/queue/keys';
import { createRedis } from '@studymate/queue/redis';
import { createArtifacts } from '@studymate/storage/artifacts';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { freePorts } from '../scripts/lib/ports.mjs';
import { startService } from '../scripts/lib/services.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { residentMegabytes } from './lib/process-tree.ts';
import { median, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'event streams: memory of one API copy with 1,000 listeners, while text comes [listeners] [rounds]';

const startedAt = '2026-01-01T00:00:00.000Z';
const chunks = 30;

/** Two minutes of speech: about 20 segments of 15 words. */
function makeChunk(index: number): TranscribedChunk {
  const segments = Array.from({ length: 20 }, (_, id) => {
    const start = index * 120 + id * 6;
    const words = Array.from({ length: 15 }, (_, i) => ({
      word: `word${i}`,
      start: start + i * 0.4,
      end: start + i * 0.4 + 0.3,
      probability: 0.97,
    }));
    const text = words.map(({ word }) => word).join(' ');
    return { id, start, end: start + 6, text, confidence: 0.95, flags: [], words };
  });
  return {
    schemaVersion: 1,
    index,
    language: 'en',
    languageProbability: 0.99,
    segments,
    audioSeconds: 120,
    inferenceSeconds: 3,
    startedAt,
    finishedAt: startedAt,
    cold: false,
    algorithm: 'bench@1',
  };
}

interface Listener {
  segmentEvents(): number;
  leave(): void;
}

/** Counts the events of a stream and keeps nothing of them. @returns once the snapshot has begun to come */
async function listen(url: string, agent: http.Agent): Promise<Listener> {
  const req = http.get(url, { agent });
  req.on('error', () => {});
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  let count = 0;
  let tail = '';
  res.on('data', (part: Buffer) => {
    const text = tail + part.toString('latin1');
    count += text.split('event: segments\n').length - 1;
    // A name that is cut in two is put together, and none is counted twice.
    tail = text.slice(text.lastIndexOf('\n') + 1);
  });
  res.on('error', () => {});
  await once(res, 'data');
  return { segmentEvents: () => count, leave: () => req.destroy() };
}

/** One API without a worker: what a worker would say is said here. */
async function measure(listenerCount: number) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-listeners-'));
  const closers: (() => unknown)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const redisServer = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
    closers.push(() => redisServer.close());
    const [port, internalPort] = (await freePorts(2)) as [number, number];
    const baseUrl = `http://127.0.0.1:${port}`;
    const dataDir = path.join(dir, 'data');
    const { child } = await startService({
      app: 'api',
      rootDir: BENCH_ROOT,
      env: {
        PATH: process.env.PATH,
        REDIS_URL: redisServer.url,
        DATA_DIR: dataDir,
        PORT: String(port),
        INTERNAL_PORT: String(internalPort),
        RATE_LIMIT: 'off',
        LOG_LEVEL: 'warn',
      },
      logPath: path.join(dir, 'api.log'),
      healthUrl: `${baseUrl}/health/ready`,
      timeoutMs: 60_000,
      onStarted: (stop: () => Promise<void>) => closers.push(stop),
    });
    const redis = createRedis({ url: redisServer.url, kind: 'consumer', onError: () => {} });
    closers.push(() => redis.disconnect());
    const blobs = await createFileBlobStore({ rootDir: dataDir });
    closers.push(() => blobs.close());
    const artifacts = createArtifacts({ blobs });
    const publisher = createEventPublisher({ redis, keys: createKeys('{sm}') });
    const { id } = await createClient({ baseUrl }).uploadLecture(new Blob(['x']), { fileName: 'x.mp3' });
    const agent = new http.Agent({ maxSockets: Number.POSITIVE_INFINITY });
    const url = `${baseUrl}/api/v1/lectures/${id}/events`;
    const memory = () => residentMegabytes(child.pid);

    // One has been there: what the first stream loads is not the listeners'.
    (await listen(url, agent)).leave();
    const before = await memory();
    const listeners: Listener[] = [];
    while (listeners.length < listenerCount) {
      const batch = Math.min(50, listenerCount - listeners.length);
      listeners.push(...(await Promise.all(Array.from({ length: batch }, () => listen(url, agent)))));
    }
    const quiet = await memory();
    const commandsBefore = await countCommands(redis);
    let peak = quiet;
    const waits: number[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) {
      const content = makeChunk(chunk);
      await artifacts.createArtifact(transcribedChunkKey(id, 1, chunk), content);
      const startMs = performance.now();
      await publisher.publishChunk(id, 1, chunk, content.segments.length);
      while (listeners.some((listener) => listener.segmentEvents() <= chunk)) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        peak = Math.max(peak, await memory());
      }
      waits.push(performance.now() - startMs);
    }
    const commands = (await countCommands(redis)) - commandsBefore;
    for (const listener of listeners) listener.leave();
    return { before, quiet: quiet - before, peak: peak - before, waitMs: median(waits), reads: commands / chunks };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** How often Redis was asked for events. */
async function countCommands(redis: ReturnType<typeof createRedis>): Promise<number> {
  return Number(/cmdstat_xrange:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}

export async function run(args: string[], note: (text: string) => void) {
  const [listeners, rounds] = [Number(args[0] ?? 1_000), Number(args[1] ?? 3)];
  const all: Awaited<ReturnType<typeof measure>>[] = [];
  for (let i = 0; i < rounds; i++) {
    const figures = await measure(listeners);
    all.push(figures);
    note(`${i + 1}/${rounds} +${figures.quiet} MB quiet, +${figures.peak} MB at most while text comes`);
  }
  const of = (pick: (each: (typeof all)[number]) => number, digits = 0) => round(median(all.map(pick)), digits);
  return {
    listeners,
    rounds,
    megabytesWithoutListeners: of((each) => each.before),
    moreMegabytesQuiet: of((each) => each.quiet),
    moreMegabytesAtMost: of((each) => each.peak),
    millisecondsUntilAllHaveAChunkMedian: of((each) => each.waitMs),
    readsOfRedisAChunk: of((each) => each.reads, 1),
  };
}
