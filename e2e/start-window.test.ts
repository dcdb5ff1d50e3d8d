import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient } from '@studymate/client/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntilOk } from '../scripts/lib/api-client.mjs';
import { startChild } from '../scripts/lib/children.mjs';
import { freePorts } from '../scripts/lib/ports.mjs';
import { builtMain } from '../scripts/lib/services.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { rootDir } from './support/running-system.ts';

let dir: string;
let redis: Awaited<ReturnType<typeof startRedis>>;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-window-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  redis = await startRedis({ dataDir: path.join(dir, 'redis'), durable: false });
  closers.push(() => redis.close());
  // A stopped process does not heed SIGTERM.
  closers.push(async () => redis.child.signal('SIGCONT'));
});
afterEach(async () => {
  for (const close of closers.reverse().splice(0)) await close();
});

/** The built API, not waited for. */
async function spawnApi() {
  const [port, internalPort] = (await freePorts(2)) as [number, number];
  const child = startChild({
    name: 'api',
    command: process.execPath,
    args: [builtMain(rootDir, 'api')],
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      REDIS_URL: redis.url,
      DATA_DIR: path.join(dir, 'data'),
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
      LOG_LEVEL: 'warn',
    },
  });
  closers.push(() => child.stop());
  const url = `http://127.0.0.1:${port}`;
  return { child, port, url, client: createClient({ baseUrl: url }) };
}

async function startApi() {
  const api = await spawnApi();
  await waitUntilOk({ url: `${api.url}/health/ready`, child: api.child, timeoutMs: 120_000, everyMs: 5 });
  return api;
}

/** Resolves with the first connection that the port accepts. */
async function firstConnection(port: number): Promise<net.Socket> {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const accepted = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    if (accepted) return socket;
    socket.destroy();
  }
}

test('requests from the first moment that the port is open: none is refused, and each gets its own right answer', async () => {
  const before = await startApi();
  const kept = await before.client.uploadLecture(new File(['of the first life'], 'kept.mp3'));
  await before.client.cancelLecture(kept.id);
  await before.child.stop();

  // An API waits a second for a Redis that does not answer: so long is the window open.
  redis.child.signal('SIGSTOP');
  const { child, port, url, client } = await spawnApi();
  (await firstConnection(port)).destroy();
  const upload = new Uint8Array(3_000_000).map((_, i) => i % 251);
  const answers = Promise.all([
    client.uploadLecture(new File([upload], 'in the window.mp3')),
    client.getLecture(kept.id),
    fetch(`${url}/api/v1/lectures/${kept.id}/events`).then((response) => response.text()),
    fetch(`${url}/api/v1/topics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"documents": ["not',
    }).then((response) => response.json()),
    Promise.all(Array.from({ length: 40 }, async (_, i) => (await fetch(`${url}/health/live?${i}`)).status)),
  ]);
  expect((await fetch(`${url}/health/fast`)).status).toBe(200);
  redis.child.signal('SIGCONT');

  const [uploaded, lecture, story, mistake, statuses] = await answers;
  expect(lecture).toMatchObject({ id: kept.id, status: 'cancelled' });
  expect([...story.matchAll(/^event: (.*)$/gm)].map((match) => match[1])).toEqual(['snapshot', 'end']);
  expect(mistake).toMatchObject({ error: { code: 'invalid_json' } });
  expect(new Set(statuses)).toEqual(new Set([200]));
  const media = await fetch(`${url}/api/v1/lectures/${uploaded.id}/media`);
  expect(Buffer.compare(Buffer.from(await media.arrayBuffer()), Buffer.from(upload))).toBe(0);
  await child.stop();
  expect(await child.exited).toBe('exit status 0');
});

test('SIGTERM before everything is loaded: who waits is told to come back, and the process ends with status 0', async () => {
  redis.child.signal('SIGSTOP');
  let answer = '';
  // On a machine that stands still for a second the window is over before the signal comes: that says nothing.
  for (let tries = 0; tries < 5 && !answer.includes(' 503 '); tries++) {
    const { child, port } = await spawnApi();
    const socket = await firstConnection(port);
    answer = '';
    socket.on('data', (part) => {
      answer += part;
      // Both requests come in one piece: when the first is answered, the second is known and waits.
      if (answer.includes('"ok"') && child.ended() === null) child.signal('SIGTERM');
    });
    const closed = once(socket, 'close');
    socket.write('GET /health/fast HTTP/1.1\r\nhost: x\r\n\r\nGET /api/v1/courses HTTP/1.1\r\nhost: x\r\n\r\n');
    await closed;
    expect(await child.exited).toBe('exit status 0');
  }
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503']);
  expect(answer).toContain('"code":"unavailable"');
});

test('two APIs that start at once on a data folder that is not there yet: both serve what either was given', async () => {
  const [a, b] = await Promise.all([startApi(), startApi()]);
  const [first, second] = await Promise.all([
    a.client.uploadLecture(new File(['one'], 'one.mp3')),
    b.client.uploadLecture(new File(['two'], 'two.mp3')),
  ]);
  for (const { client } of [a, b]) {
    const { lectures } = await client.listLectures();
    expect(lectures.map((lecture) => lecture.id).sort()).toEqual([first.id, second.id].sort());
  }
  const files = await readdir(path.join(dir, 'data'), { recursive: true });
  expect(files.filter((file) => /tmp-|\.tmp/.test(file))).toEqual([]);
});
