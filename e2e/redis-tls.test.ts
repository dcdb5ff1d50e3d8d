import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createRedis, toRedisName } from '@studymate/queue/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChild } from '../scripts/lib/children.mjs';
import { freePorts } from '../scripts/lib/ports.mjs';

const run = promisify(execFile);
const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
);

describe.skipIf(!hasOpenssl)('rediss:// (skipped where there is no openssl)', () => {
  let dir: string;
  let port: number;
  let child: ReturnType<typeof startChild>;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'studymate-redis-tls-'));
    [port] = (await freePorts(1)) as [number];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
    const names = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run('openssl', ['req', '-x509', ...key, '-out', 'cert.pem', '-days', '2', ...names], { cwd: dir });
    const tls = ['--tls-port', String(port), '--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem'];
    const args = ['--port', '0', '--bind', '127.0.0.1', '--save', '', '--requirepass', 'hunter2', ...tls];
    const logfile = ['--tls-auth-clients', 'no', '--logfile', 'redis.log'];
    child = startChild({ name: 'redis', command: 'redis-server', args: [...args, ...logfile], cwd: dir });
  });
  afterAll(async () => {
    await child?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  test('with the file of its authority: is used', async () => {
    const place = { url: `rediss://:hunter2@127.0.0.1:${port}`, caFile: path.join(dir, 'cert.pem') };
    const redis = createRedis({ ...place, kind: 'consumer', onError: () => {} });
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    expect(toRedisName(place)).toBe(`127.0.0.1:${port}`);
  });

  test('whose authority nobody knows: is not trusted', async () => {
    const error = await new Promise<Error>((resolve) => {
      const redis = createRedis({
        url: `rediss://:hunter2@127.0.0.1:${port}`,
        kind: 'producer',
        onError(thrown) {
          // The first may be that it does not listen yet.
          if (!/self-signed|self signed/.test(thrown.message)) return;
          redis.disconnect();
          resolve(thrown);
        },
      });
    });
    expect(error.message).toMatch(/self.signed certificate/);
  });

  test('with a file that is not there: says which', () => {
    const place = { url: `rediss://127.0.0.1:${port}`, caFile: path.join(dir, 'none.pem') };
    expect(() => createRedis({ ...place, kind: 'consumer', onError: () => {} })).toThrow(/none\.pem/);
  });
});
