import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { rootDir } from '../support/running-system.ts';
import { type Copies, startCopies } from './support/copies.ts';
import { startGateway } from './support/gateway.ts';
import { open, request, toJson, toMultipart } from './support/http.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A copy that counts what reaches it; each answer says its number. */
async function startCountingCopy(headers: Record<string, string> = {}) {
  const seen: string[] = [];
  const held: (() => void)[] = [];
  const state = { isHolding: false, status: 200 };
  const server = http.createServer((req, res) => {
    const number = seen.push(`${req.method} ${req.url}`);
    // The API gives the id of its request back.
    const id = String(req.headers['x-request-id']);
    const answer = () =>
      res
        .writeHead(state.status, { 'cache-control': 'no-store', 'x-request-id': id, ...headers })
        .end(`answer ${number}`);
    if (state.isHolding) held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const release = () => {
    state.isHolding = false;
    for (const answer of held.splice(0)) answer();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen, state, release };
}

async function gatewayFor(address: string, env: Record<string, string> = {}) {
  const gateway = await startGateway([address], { healthy: false, env });
  closers.push(gateway.close);
  return gateway;
}

describe('the cache of the gateway', () => {
  test('what is the same for everybody is fetched once; with a key, cookie, origin or query it is asked for each time', async () => {
    const copy = await startCountingCopy();
    const { baseUrl } = await gatewayFor(copy.address);
    for (const target of ['/v1/models', '/openapi.json', '/docs']) {
      const before = copy.seen.length;
      const first = await request(`${baseUrl}${target}`);
      const again = await request(`${baseUrl}${target}`);
      expect([first.headers['x-gateway-cache'], again.headers['x-gateway-cache']]).toEqual(['MISS', 'HIT']);
      expect(again.body).toEqual(first.body);
      expect(copy.seen.length - before).toBe(1);
      // One id each, of its own request.
      const own = await request(`${baseUrl}${target}`, { headers: { 'x-request-id': 'own-id-of-this-request' } });
      expect(own.headers['x-request-id']).toBe('own-id-of-this-request');
      const ids = [first, again].map((answer) => String(answer.headers['x-request-id']));
      expect(ids[0]).not.toBe(ids[1]);
      for (const id of ids) expect(id).not.toContain(',');
      expect(again.headers['x-content-type-options']).toBe('nosniff');
      const ownWays: [string, Record<string, string>][] = [
        [target, { authorization: 'Bearer sm_1' }],
        [target, { authorization: '0' }],
        [target, { 'x-api-key': 'sm_1' }],
        [target, { cookie: 'studymate_key=sm_1' }],
        [target, { origin: 'https://study.example' }],
        [`${target}?a=1`, {}],
      ];
      const bodies = new Set([String(first.body)]);
      for (const [own, headers] of ownWays) {
        const answer = await request(`${baseUrl}${own}`, { headers });
        expect(answer.headers['x-gateway-cache']).toBe('BYPASS');
        bodies.add(String(answer.body));
      }
      expect(bodies.size).toBe(1 + ownWays.length);
      // None of these took the place of what is for everybody.
      expect((await request(`${baseUrl}${target}`)).body).toEqual(first.body);
    }
  });

  test('what is not listed is never kept, whatever the API says of it; refusals are not kept either', async () => {
    const copy = await startCountingCopy({ 'cache-control': 'public, max-age=300' });
    const { baseUrl } = await gatewayFor(copy.address);
    for (const target of [
      '/api/v1/lectures',
      '/api/v1/search?q=a',
      '/',
      '/v1/models/whisper-1',
      '/api/v1/models/status',
    ]) {
      const [first, again] = [await request(`${baseUrl}${target}`), await request(`${baseUrl}${target}`)];
      expect(again.body, target).not.toEqual(first.body);
    }
    copy.state.status = 401;
    await request(`${baseUrl}/v1/models`);
    copy.state.status = 200;
    expect((await request(`${baseUrl}/v1/models`)).headers['x-gateway-cache']).toBe('MISS');
  });

  test('twenty at once: one reaches a copy', async () => {
    const copy = await startCountingCopy();
    copy.state.isHolding = true;
    const { baseUrl } = await gatewayFor(copy.address);
    const before = copy.seen.length;
    const asked = Array.from({ length: 20 }, () => request(`${baseUrl}/openapi.json`));
    await vi.waitFor(() => expect(copy.seen.length).toBeGreaterThan(before), 90_000);
    copy.release();
    const bodies = (await Promise.all(asked)).map((answer) => String(answer.body));
    expect(new Set(bodies).size).toBe(1);
    expect(copy.seen.length - before).toBe(1);
  });
});

describe('two owners', () => {
  let copies: Copies;
  const keys = new Map<string, string>();
  beforeAll(async () => {
    copies = await startCopies({ apis: 2, worker: true, env: { AUTH: 'keys' } });
    const blobs = await createFileBlobStore({ rootDir: copies.dataDir });
    for (const owner of ['ada', 'bob']) {
      keys.set(owner, (await createKeyStore({ blobs }).create({ owner, label: '' })).key);
    }
    await blobs.close();
  });
  afterAll(() => copies?.close());

  test('never see what was kept for the other, neither by the gateway nor by the API', async () => {
    const ask = (owner: string | null, target: string, options: Parameters<typeof request>[1] = {}) =>
      request(`${copies.gateway.baseUrl}${target}`, {
        ...options,
        headers: { ...options.headers, ...(owner !== null && { authorization: `Bearer ${keys.get(owner)}` }) },
      });
    const wav = Buffer.concat([await readFile('/dev/null'), Buffer.from('RIFF')]);
    const made = await ask('ada', '/api/v1/lectures', { method: 'POST', ...toMultipart('adas.wav', wav) });
    expect(made.status).toBe(202);
    const titles = async (owner: string) =>
      (toJson(await ask(owner, '/api/v1/lectures')).lectures as { title: string }[]).map(({ title }) => title);
    for (let i = 0; i < 3; i++) expect([await titles('ada'), await titles('bob')]).toEqual([['adas'], []]);
    const owners = async (owner: string) => toJson(await ask(owner, '/api/v1/session')).owner;
    for (let i = 0; i < 3; i++) expect([await owners('ada'), await owners('bob')]).toEqual(['ada', 'bob']);

    const text =
      'Printing with movable type was a process for making many copies. It spread over Europe within decades.';
    const summarize = async (owner: string) => {
      const body = JSON.stringify({ text, maxSentences: 1 });
      const headers = { 'content-type': 'application/json' };
      const answer = await ask(owner, '/api/v1/summarize', { method: 'POST', headers, body });
      return `${answer.status} ${answer.headers['x-cache']}`;
    };
    expect(await summarize('ada')).toBe('200 miss');
    expect([await summarize('ada'), await summarize('bob')]).toEqual(['200 hit', '200 miss']);

    // With a key it is answered, and without one it is not given what the other was told.
    expect((await ask('ada', '/v1/models')).status).toBe(200);
    expect((await ask(null, '/v1/models')).status).toBe(401);
  });
});

/** Of its own authority. @returns paths, and the folder they are in */
async function makeCertificate() {
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-tls-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  const [key, certificate] = [path.join(dir, 'key.pem'), path.join(dir, 'certificate.pem')];
  const subject = ['-subj', '/CN=study.example', '-addext', 'subjectAltName=DNS:study.example'];
  const form = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await promisify(execFile)('openssl', ['req', ...form, '-keyout', key, '-out', certificate, ...subject]);
  return { dir, key, certificate };
}

test('the folder of a key: one of somebody else is refused, and a start without a certificate leaves no key behind', async () => {
  const { dir, key, certificate } = await makeCertificate();
  const check = (runDir: string, tls: Record<string, string> = {}) => {
    const env = { PATH: process.env.PATH, RUN_DIR: path.join(dir, runDir), ...tls };
    const start = path.join(rootDir, 'nginx/start.sh');
    // Its access log is a file that it opens, which the pipes of Node are not.
    const { status, stderr } = spawnSync(start, ['-t'], { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    return status === 0 ? 'good' : stderr;
  };
  const listKeys = async () => (await readdir(path.join(dir, 'run'))).filter((name) => name.endsWith('.pem')).sort();
  expect(check('run', { TLS_KEY: key, TLS_CERTIFICATE: certificate })).toBe('good');
  expect(await listKeys()).toEqual(['certificate.pem', 'key.pem']);
  expect(check('run')).toBe('good');
  expect(await listKeys()).toEqual([]);
  await symlink('run', path.join(dir, 'elsewhere'));
  expect(check('elsewhere')).toContain('belongs to somebody else');
});

test('with a certificate the gateway speaks TLS and HTTP/1.1 as before, and says that browsers shall stay with it', async () => {
  const { key, certificate } = await makeCertificate();
  const { address } = await startCountingCopy();
  const gateway = await startGateway([address], { tls: { key, certificate } });
  closers.push(gateway.close);
  const ca = await readFile(certificate);
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    https
      .get(`${gateway.baseUrl}/api/v1/lectures`, { ca, servername: 'study.example', agent: false }, resolve)
      .on('error', reject);
  });
  answer.resume();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
  const { hostname, port } = new URL(gateway.baseUrl);
  const plain = await request(`http://${hostname}:${port}/api/v1/lectures`);
  expect(plain.status).toBe(400);
  expect(await probeAsImage({ LISTEN: port, TLS_CERTIFICATE: '/certificate.pem' })).toBe(0);
  expect(await probeAsImage({ LISTEN: port })).not.toBe(0);
});

/** The health check of the gateway's image, with the settings of its container. @returns the exit status */
async function probeAsImage(env: Record<string, string>): Promise<number> {
  const file = await readFile(path.join(rootDir, 'nginx/Dockerfile'), 'utf8');
  const [command = '', ...args] = JSON.parse(/^HEALTHCHECK [^[]*(\[.*\])$/ms.exec(file)?.[1]?.split('\n')[0] ?? '[]');
  const run = promisify(execFile)(command, args, { env: { PATH: process.env.PATH, ...env } });
  return run.then(
    () => 0,
    ({ code }) => code,
  );
}

test('the health check of the image asks where the gateway listens', async () => {
  const { address } = await startCountingCopy();
  const { baseUrl } = await gatewayFor(address);
  const { port } = new URL(baseUrl);
  expect(await probeAsImage({ LISTEN: `0.0.0.0:${port}` })).toBe(0);
});

test('more requests of one address at the same time than it may have are refused; another address is not', async () => {
  const copy = await startCountingCopy();
  const { baseUrl } = await gatewayFor(copy.address, { CONNECTIONS_PER_ADDRESS: '4' });
  copy.state.isHolding = true;
  const before = copy.seen.length;
  const waiting = Array.from({ length: 4 }, (_, i) => {
    const asked = open(`${baseUrl}/api/v1/lectures/${i}`, { from: '127.0.0.41' });
    asked.on('error', () => {});
    asked.end();
    return asked;
  });
  await vi.waitFor(() => expect(copy.seen.length - before).toBe(4), 90_000);
  const refused = await request(`${baseUrl}/api/v1/lectures`, { from: '127.0.0.41' });
  expect([refused.status, toJson(refused).error.code]).toEqual([429, 'too_many_requests']);
  copy.state.isHolding = false;
  expect((await request(`${baseUrl}/api/v1/lectures`, { from: '127.0.0.42' })).status).toBe(200);
  for (const asked of waiting) asked.destroy();
});
