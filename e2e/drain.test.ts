import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { waitUntilOk } from '../scripts/lib/api-client.mjs';
import { startChild } from '../scripts/lib/children.mjs';
import { freePorts } from '../scripts/lib/ports.mjs';
import { builtMain } from '../scripts/lib/services.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, rootDir, startSystem } from './support/running-system.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.reverse().splice(0)) await close();
});

/** A system on a Redis of the test's, which may be stopped and started again with its data. */
async function start(settings: Record<string, string> = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-drain-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  let redis = await startRedis({ dataDir: path.join(dir, 'redis') });
  closers.push(() => redis.close());
  const system = await startSystem({ REDIS_URL: redis.url, ...settings });
  closers.push(() => system.close());
  return {
    system,
    stopRedis: () => redis.close(),
    async startRedisAgain() {
      redis = await startRedis({ dataDir: path.join(dir, 'redis'), port: redis.port });
    },
  };
}

/** Uploads a stretch of the sample and waits for its first words, so that its other chunks are at work. */
async function uploadAndAwaitText({ client }: RunningSystem): Promise<string> {
  const { id } = await client.uploadLecture(await excerpt('lecture.mp3', 0, 150));
  for await (const event of client.followLecture(id)) if (event.type === 'segments') return id;
  throw new Error('the lecture ended without text');
}

async function expectFinished({ client }: RunningSystem, id: string): Promise<void> {
  for await (const event of client.followLecture(id)) if (event.type === 'end') break;
  const lecture = await client.getLecture(id);
  expect(lecture.stages.filter((stage) => stage.error)).toEqual([]);
  expect(lecture.status).toBe('ready');
}

/** The model processes of a system (Linux). */
async function findModelProcesses({ dataDir }: RunningSystem): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const [commandLine, environment] = await Promise.all([read('cmdline'), read('environ')]);
    if (commandLine.includes('model-process.js') && environment.includes(`DATA_DIR=${dataDir}\0`))
      found.push(Number(pid));
  }
  return found;
}

test('SIGTERM of a worker whose model is being loaded: status 0, and its successor finishes the lecture', async () => {
  const { system } = await start();
  const { id } = await system.client.uploadLecture(await excerpt('lecture.mp3', 0, 20));
  // The log keeps a state that is over in a moment.
  const isLoading = async () => /"family":"speech","state":"loading"/.test(await system.readWorkerLogs());
  await expect.poll(isLoading, { interval: 5 }).toBe(true);
  system.worker().signal('SIGTERM');
  expect(await system.worker().exited).toBe('exit status 0');
  await expect.poll(() => findModelProcesses(system)).toEqual([]);
  await system.startWorker();
  await expectFinished(system, id);
});

test('SIGINT of a busy worker while Redis is away: it does not wait for the deadline, and nothing is lost', async () => {
  // The test fails by its own time limit should the worker wait for this one.
  const { system, stopRedis, startRedisAgain } = await start({ SHUTDOWN_TIMEOUT_SECONDS: '600' });
  const id = await uploadAndAwaitText(system);
  await stopRedis();
  system.worker().signal('SIGINT');
  expect(await system.worker().exited).toBe('exit status 0');
  await expect.poll(() => findModelProcesses(system)).toEqual([]);
  await startRedisAgain();
  await system.startWorker();
  await expectFinished(system, id);
});

test('SIGTERM of a worker whose model process hangs: nothing waits for it, and nothing stays behind', async () => {
  const { system } = await start({ SHUTDOWN_TIMEOUT_SECONDS: '600' });
  const id = await uploadAndAwaitText(system);
  const processes = await findModelProcesses(system);
  expect(processes.length).toBeGreaterThan(0);
  for (const pid of processes) process.kill(pid, 'SIGSTOP');
  system.worker().signal('SIGTERM');
  expect(await system.worker().exited).toBe('exit status 0');
  await expect.poll(() => findModelProcesses(system)).toEqual([]);
  await system.startWorker();
  await expectFinished(system, id);
});

test('a worker started before its Redis: alive, not ready, and at work as soon as Redis is there', async () => {
  const { system, stopRedis, startRedisAgain } = await start();
  system.worker().signal('SIGTERM');
  await system.worker().exited;
  await stopRedis();
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-drain-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const [workerPort] = (await freePorts(1)) as [number];
  const child = startChild({
    name: 'worker',
    command: process.execPath,
    args: [builtMain(rootDir, 'worker')],
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      REDIS_URL: system.redisUrl,
      DATA_DIR: system.dataDir,
      WORKER_INTERNAL_PORT: String(workerPort),
      LOG_LEVEL: 'error',
    },
  });
  closers.push(() => child.stop());
  const url = `http://127.0.0.1:${workerPort}`;
  await waitUntilOk({ url: `${url}/health/live`, child, timeoutMs: 120_000, everyMs: 5 });
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  await startRedisAgain();
  await waitUntilOk({ url: `${url}/health/ready`, child, timeoutMs: 120_000, everyMs: 20 });
  // The API has lost its connection too, and tries again once a second.
  await waitUntilOk({ url: `${system.baseUrl}/health/ready`, child: system.api(), timeoutMs: 120_000, everyMs: 20 });
  const { assignments } = await system.client.topics({ documents: ['one text', 'another text'] });
  expect(assignments).toHaveLength(2);
});

test('SIGTERM of an API whose upload stands still: the upload is cut off, its file is gone, and the status is 0', async () => {
  const { system } = await start({ SHUTDOWN_TIMEOUT_SECONDS: '8' });
  const socket = connect(Number(new URL(system.baseUrl).port), '127.0.0.1');
  socket.on('error', () => {});
  const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n';
  socket.write(
    `POST /api/v1/lectures HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 9000000\r\n\r\n${head}`,
  );
  socket.write(Buffer.alloc(4_000_000));
  const listFiles = async () => {
    const entries = await readdir(system.dataDir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  };
  const partial = async () =>
    (await Promise.all((await listFiles()).map((file) => stat(file)))).filter((s) => s.size > 1_000_000);
  await expect.poll(async () => (await partial().catch(() => [])).length).toBe(1);
  const closed = once(socket, 'close');
  system.api().signal('SIGTERM');
  expect(await system.api().exited).toBe('exit status 0');
  await closed;
  expect(await partial()).toEqual([]);
});
