// A Redis of our own: free loopback port, own data folder, ended with us.
//
// `node scripts/redis.mjs [FOLDER]` starts one, prints its URL, and stops it at Ctrl-C.
import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onStopSignals, startChild } from './lib/children.mjs';
import { freePorts } from './lib/ports.mjs';
import { findProgram } from './lib/system-programs.mjs';

/**
 * Starts a Redis and waits until it answers.
 *
 * @param {object} params
 * @param {string} params.dataDir made when it is missing; holds the append-only file and `redis.log`
 * @param {number} [params.port] a free one by default
 * @param {boolean} [params.durable] keep the data on disk (default true)
 * @returns {Promise<{url: string, port: number, child: ReturnType<typeof startChild>, close(): Promise<void>}>}
 */
export async function startRedis({ dataDir, port, durable = true }) {
  const command = await findProgram('redis-server');
  if (command === null) throw new Error('redis-server is not installed, and REDIS_URL does not name one that runs');
  mkdirSync(dataDir, { recursive: true });
  const logPath = path.join(dataDir, 'redis.log');
  let reason = '';
  // Between our finding a port free and Redis taking it, another program may have taken it.
  for (let attempt = 0; attempt < 5; attempt++) {
    const chosen = port ?? (await freePorts(1))[0];
    const log = openSync(logPath, 'w');
    const args = redisArguments({ port: chosen, dataDir, durable });
    const child = startChild({ name: 'redis', command, args, output: log });
    closeSync(log);
    if (await answersPing({ port: chosen, child, timeoutMs: 15_000 })) {
      return { url: `redis://127.0.0.1:${chosen}`, port: chosen, child, close: () => child.stop() };
    }
    await child.stop();
    reason = (await readFile(logPath, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
    if (port !== undefined) break;
  }
  throw new Error(`redis-server does not answer:\n${reason}`);
}

function redisArguments({ port, dataDir, durable }) {
  return [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', path.resolve(dataDir)],
    // A queue must never lose a key to make room; at most a second of it may be lost with the machine.
    ...['--maxmemory-policy', 'noeviction'],
    ...['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'everysec', '--save', ''],
    ...['--daemonize', 'no', '--loglevel', 'warning', '--logfile', ''],
  ];
}

/** Whether the Redis on this port is the one that we have started, and has read its data. */
async function answersPing({ port, child, timeoutMs }) {
  const deadlineMs = performance.now() + timeoutMs;
  while (child.ended() === null && performance.now() < deadlineMs) {
    const answer = await ask(port, 'PING\r\nINFO server\r\n');
    if (answer.startsWith('+PONG') && answer.includes(`process_id:${child.pid}\r\n`)) return true;
    await delay(10);
  }
  return false;
}

/** What Redis sends within half a second or until it has told its process id; '' where nobody listens. */
function ask(port, commands) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(commands));
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
      if (/process_id:\d+\r\n/.test(answer) || answer.startsWith('-')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const redis = await startRedis({ dataDir: process.argv[2] ?? '.cache/redis' });
  console.log(redis.url);
  onStopSignals(
    () => redis.close(),
    () => redis.child.kill(),
  );
}
