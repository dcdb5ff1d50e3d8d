import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { createKeys, type Keys } from '../../src/keys.ts';
import { createQueues, type Queues } from '../../src/queues.ts';
import { createRedis } from '../../src/redis.ts';

/** The Redis of the test run, shared by all its files: use keys under a prefix of your own. */
export function testRedisUrl(): string {
  const url = process.env.STUDYMATE_TEST_REDIS_URL;
  if (!url) throw new Error('STUDYMATE_TEST_REDIS_URL is not set: the global set-up of the tests has not run');
  return url;
}

export interface TestRedis {
  redis: Redis;
  keys: Keys;
  prefix: string;
  queues: Queues;
  /** A further connection, closed with the others. */
  connect(): Redis;
  close(): Promise<void>;
}

/** The test run's Redis under a prefix of its own, which is removed at the end. */
export function openTestRedis(): TestRedis {
  const url = testRedisUrl();
  const prefix = `{test-${randomUUID().slice(0, 8)}}`;
  const connections: Redis[] = [];
  const connect = (): Redis => {
    const connection = createRedis({ url, kind: 'consumer', onError: () => {} });
    connections.push(connection);
    return connection;
  };
  const redis = connect();
  const queues = createQueues({ redis, prefix });
  return {
    redis,
    keys: createKeys(prefix),
    prefix,
    queues,
    connect,
    async close() {
      await queues.close();
      const left = await redis.keys(`${prefix}:*`);
      if (left.length > 0) await redis.del(...left);
      for (const connection of connections) connection.disconnect();
    },
  };
}

/** A Redis server of a test's own. */
export interface OwnRedis {
  url: string;
  stop(): Promise<void>;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stops or continues the process: its connections stay open and nothing is answered. Only for one's own. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** A server of one's own, which may be stopped and started. */
export async function spawnRedis(): Promise<OwnRedis> {
  for (let attempt = 1; ; attempt++) {
    // Below the ports that systems give away: nobody takes it while the server is away. Where somebody has it, another will do.
    const redis = await spawnRedisOn(randomInt(20_000, 30_000)).catch((error: Error) => error);
    if (!(redis instanceof Error)) return redis;
    if (attempt === 5) throw redis;
  }
}

async function spawnRedisOn(port: number): Promise<OwnRedis> {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-redis-'));
  let server: ChildProcess | undefined;
  const halt = async () => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const start = async () => {
    const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    server = child;
    await new Promise<void>((resolve, reject) => {
      let output = '';
      child.stdout.on('data', (part) => {
        output += part;
        if (output.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`redis-server ended:\n${output}`)));
      child.once('error', reject);
    });
  };
  try {
    await start();
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill: halt,
    signal: (signal) => {
      server?.kill(signal);
    },
    async stop() {
      await halt();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
