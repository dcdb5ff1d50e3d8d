import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkRedis } from '../lib/check-redis.mjs';
import { freePorts } from '../lib/ports.mjs';
import { startRedis } from '../redis.mjs';

let dataDir: string;
let redis: Awaited<ReturnType<typeof startRedis>>;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-check-redis-'));
  redis = await startRedis({ dataDir, durable: false });
});
afterAll(async () => {
  await redis?.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Listens, answers everything with this text (null: nothing at all), and calls with its port. */
async function withServer(answer: string | null, work: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      if (answer !== null) socket.write(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test('a Redis that runs passes, also with a password that it does not ask for', async () => {
  await checkRedis(redis.url);
  await checkRedis(`redis://:secret@127.0.0.1:${redis.port}/3`);
});

test('an address where nobody listens is told at once, without the password', async () => {
  const [port] = await freePorts(1);
  const message = `REDIS_URL=redis://127.0.0.1:${port}: nobody answers (ECONNREFUSED)`;
  await expect(checkRedis(`redis://me:secret@127.0.0.1:${port}`)).rejects.toThrow(message);
  await expect(checkRedis(`redis://me:secret@127.0.0.1:${port}`)).rejects.not.toThrow('secret');
});

test.each(['nonsense', 'http://127.0.0.1:6379', 'redis://', 'redis:// x:1'])(
  '%j is told to be no address',
  async (url) => {
    await expect(checkRedis(url)).rejects.toThrow('REDIS_URL is no address of a Redis');
  },
);

test('a server of another kind, and one that says nothing, are told apart from a Redis', async () => {
  await withServer('HTTP/1.1 400 Bad Request\r\n\r\n', (port) =>
    expect(checkRedis(`redis://127.0.0.1:${port}`)).rejects.toThrow('what answers there is no Redis'),
  );
  await withServer(null, (port) =>
    expect(checkRedis(`redis://127.0.0.1:${port}`, { timeoutMs: 50 })).rejects.toThrow('no answer within 0.05 s'),
  );
  // TLS towards a server without it.
  await expect(checkRedis(`rediss://127.0.0.1:${redis.port}`, { timeoutMs: 200 })).rejects.toThrow(
    `REDIS_URL=rediss://127.0.0.1:${redis.port}: `,
  );
});

test('a Redis that asks for a password: the right one passes, a wrong or missing one is told', async () => {
  const { host, port } = { host: '127.0.0.1', port: redis.port };
  const say = async (command: string) => {
    const socket = connect({ host, port });
    socket.end(command);
    socket.resume();
    await once(socket, 'close');
  };
  await say('CONFIG SET requirepass "p@ss word"\r\n');
  try {
    await checkRedis(`redis://:p%40ss%20word@${host}:${port}`);
    await checkRedis(`redis://default:p%40ss%20word@${host}:${port}`);
    await expect(checkRedis(`redis://:wrong@${host}:${port}`)).rejects.toThrow('password is wrong or missing');
    await expect(checkRedis(`redis://${host}:${port}`)).rejects.toThrow('password is wrong or missing');
  } finally {
    await say('AUTH "p@ss word"\r\nCONFIG SET requirepass ""\r\n');
  }
});
