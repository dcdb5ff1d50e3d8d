import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { createShutdown } from '../src/shutdown.ts';

const silent = () => undefined;

test('shutdown: closers registered in order, closes last in first out', async () => {
  const order: string[] = [];
  const shutdown = createShutdown({ timeoutMs: 1_000, logger: silent });
  for (const name of ['redis', 'queue', 'server']) shutdown.push(name, () => order.push(name));
  expect(await shutdown.run('test')).toBe(true);
  expect(order).toEqual(['server', 'queue', 'redis']);
});

test('shutdown: run twice, closes once and gives the same outcome', async () => {
  let closed = 0;
  const shutdown = createShutdown({ timeoutMs: 1_000, logger: silent });
  shutdown.push('part', () => {
    closed++;
  });
  const outcomes = await Promise.all([shutdown.run('a'), shutdown.run('b')]);
  expect(outcomes).toEqual([true, true]);
  expect(closed).toBe(1);
});

test('shutdown: a closer fails, the others still run and the outcome is false', async () => {
  const order: string[] = [];
  const shutdown = createShutdown({ timeoutMs: 1_000, logger: silent });
  shutdown.push('first', () => order.push('first'));
  shutdown.push('bad', () => Promise.reject(new Error('stuck')));
  shutdown.push('last', () => order.push('last'));
  expect(await shutdown.run('test')).toBe(false);
  expect(order).toEqual(['last', 'first']);
});

test('shutdown: a closer hangs, ends at the deadline with false', async () => {
  const shutdown = createShutdown({ timeoutMs: 30, logger: silent });
  shutdown.push('hanging', () => new Promise(() => {}));
  expect(await shutdown.run('test')).toBe(false);
});

/** A program of one part, which closes when it is sent a line, or at once; and what it has said so far. */
async function spawnProgram(options: { echoMs?: number; hangs?: boolean } = {}) {
  const script = `
    const { createShutdown, stopOnSignals } = await import(process.argv[1]);
    const { hangs, echoMs } = JSON.parse(process.argv[2]);
    const shutdown = createShutdown({ timeoutMs: 20_000, logger: () => undefined });
    const alive = setInterval(() => {}, 1000);
    shutdown.push('part', async () => {
      process.stdout.write('closing');
      if (hangs) await new Promise((resolve) => process.stdin.once('data', resolve));
      clearInterval(alive);
      process.stdout.write(' closed');
    });
    stopOnSignals({ shutdown, exitWithParent: true, echoMs });
    process.stdout.write('up ');
  `;
  const modulePath = new URL('../src/shutdown.ts', import.meta.url);
  // Node 20 cannot read TypeScript; the module is plain enough for esbuild to strip it.
  const { code } = await transform(await readFile(modulePath, 'utf8'), { loader: 'ts', format: 'esm' });
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, url, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
    child.emit('said');
  });
  // "close" does not come when the parent closed the channel itself.
  const ended = Promise.all([once(child, 'exit'), once(child.stdout as Readable, 'end')]);
  return {
    child,
    async said(text: string) {
      while (!output.includes(text)) await once(child, 'said');
    },
    async end() {
      const [[exitCode]] = await ended;
      return { exitCode, output };
    },
  };
}

test.each(['SIGTERM', 'SIGINT', 'disconnect'] as const)(
  'stopOnSignals at %s: closes the parts and exits 0',
  async (how) => {
    const { child, said, end } = await spawnProgram();
    await said('up ');
    if (how === 'disconnect') child.disconnect();
    else child.kill(how);
    expect(await end()).toEqual({ exitCode: 0, output: 'up closing closed' });
  },
);

test('stopOnSignals at a signal and its echo: the echo cuts nothing short', async () => {
  const { child, said, end } = await spawnProgram({ hangs: true, echoMs: 60_000 });
  await said('up ');
  child.kill('SIGINT');
  await said('closing');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  child.stdin?.write('go on\n');
  expect(await end()).toEqual({ exitCode: 0, output: 'up closing closed' });
});

test('stopOnSignals at a second signal: ends at once with status 1, whatever still hangs', async () => {
  const { child, said, end } = await spawnProgram({ hangs: true, echoMs: 0 });
  await said('up ');
  child.kill('SIGTERM');
  await said('closing');
  child.kill('SIGTERM');
  expect(await end()).toEqual({ exitCode: 1, output: 'up closing' });
});
