import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startRedis } from '../redis.mjs';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-redis-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.end(`${command}\r\n`));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

test('a Redis that was closed and started again on its folder still has its data', async () => {
  const first = await startRedis({ dataDir });
  expect(await ask(first.port, 'SET lecture kept')).toBe('+OK\r\n');
  expect(await ask(first.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  await first.close();
  expect(first.child.ended()).toBe('exit status 0');
  await expect(ask(first.port, 'PING')).rejects.toThrow('ECONNREFUSED');

  const second = await startRedis({ dataDir });
  try {
    expect(await ask(second.port, 'GET lecture')).toBe('$4\r\nkept\r\n');
  } finally {
    await second.close();
  }
});

test('a Redis on a port that another one has is an error, and the other one stays', async () => {
  const first = await startRedis({ dataDir: path.join(dataDir, 'a') });
  try {
    await expect(startRedis({ dataDir: path.join(dataDir, 'b'), port: first.port })).rejects.toThrow(/in use/);
    expect(await ask(first.port, 'PING')).toBe('+PONG\r\n');
  } finally {
    await first.close();
  }
});
