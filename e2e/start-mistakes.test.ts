import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../scripts/lib/ports.mjs';

const rootDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Of something of long ago (tcpmux): nobody listens there. */
const deadPort = 1;

let dataDir: string;
let taken: Server;
let takenPort: number;
let freePort: number;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-start-'));
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  takenPort = (taken.address() as AddressInfo).port;
  [freePort] = (await freePorts(1)) as [number];
});
afterEach(async () => {
  taken.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** The built app, with a Redis that is not there. */
function start(app: 'api' | 'worker', env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [path.join(rootDir, 'apps', app, 'dist/main.js')], {
    cwd: dataDir,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      REDIS_URL: `redis://:secret@127.0.0.1:${deadPort}`,
      PORT: '0',
      INTERNAL_PORT: '0',
      WORKER_INTERNAL_PORT: '0',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function readAll(child: ChildProcess): Promise<{ status: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout?.resume();
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

test.each([
  ['api', 'PORT'],
  ['api', 'INTERNAL_PORT'],
  ['worker', 'WORKER_INTERNAL_PORT'],
] as const)('%s whose %s another program has: one line that says so, status 1', async (app, setting) => {
  const { status, stderr } = await readAll(start(app, { [setting]: String(takenPort) }));
  expect([status, stderr]).toEqual([
    1,
    `${setting}=${takenPort}: another program already listens on 127.0.0.1, port ${takenPort}; stop it, or set ${setting} to another port\n`,
  ]);
});

test('a worker whose Redis is not there: one warning that names it, not ready because of it, and it stops at once', async () => {
  const child = start('worker', { WORKER_INTERNAL_PORT: String(freePort) });
  try {
    let log = '';
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk) => {
        log += chunk;
        if (log.includes('REDIS_URL')) resolve();
      });
      child.once('exit', () => resolve());
    });
    // The warning may come before everything is put together that the answer tells of.
    await expect
      .poll(async () => {
        const ready = await fetch(`http://127.0.0.1:${freePort}/health/ready`);
        return [ready.status, await ready.json()];
      })
      .toMatchObject([503, { status: 'not_ready', redis: 'down', store: 'up' }]);
    child.kill('SIGTERM');
    const { status } = await readAll(child);
    expect(status).toBe(0);
    const warnings = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(warnings.map(({ msg }) => msg)).toEqual([
      `Redis does not answer at 127.0.0.1:${deadPort} (REDIS_URL); waiting for it`,
    ]);
    expect(log).not.toContain('secret');
  } finally {
    child.kill('SIGKILL');
  }
});
