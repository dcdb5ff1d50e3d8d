import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../../scripts/lib/ports.mjs';
import { rootDir } from '../support/running-system.ts';
import { type Gateway, startGateway } from './support/gateway.ts';
import { request, toJson, toMultipart } from './support/http.ts';

/** Copies that misbehave in ways that a real one cannot be made to on demand. */
interface BadCopy {
  address: string;
  /** First lines of the requests that have reached it. */
  seen: string[];
  close(): Promise<void>;
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startBadCopy(onRequest: (socket: net.Socket) => void): Promise<BadCopy> {
  const seen: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    let head = '';
    let done = false;
    socket.on('data', (part) => {
      head += part.toString('latin1');
      if (done || !head.includes('\r\n\r\n')) return;
      done = true;
      seen.push(head.split('\r\n', 1)[0] ?? '');
      onRequest(socket);
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  closers.push(close);
  return { address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, seen, close };
}

const dropping = () => startBadCopy((socket) => socket.destroy());
const hanging = () => startBadCopy(() => {});
const answering = () =>
  startBadCopy((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'));

/** A copy that answers with what it is told of the caller: address and scheme. */
async function startEchoingCopy(): Promise<{ address: string }> {
  const server = http.createServer((req, res) =>
    res.end(`${req.headers['x-forwarded-for']} ${req.headers['x-forwarded-proto']}`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { address: `127.0.0.1:${(server.address() as net.AddressInfo).port}` };
}

async function gatewayFor(...servers: string[]): Promise<Gateway> {
  const gateway = await startGateway(servers, { healthy: false });
  closers.push(gateway.close);
  return gateway;
}

const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"text":"x"}' };

test('a read whose copy breaks off without an answer is asked of another copy', async () => {
  const [bad, good] = [await dropping(), await answering()];
  const gateway = await gatewayFor(bad.address, good.address);
  for (let i = 0; i < 4; i++) {
    const answer = await request(`${gateway.baseUrl}/api/v1/lectures`, { from: `127.0.0.${10 + i}` });
    expect(answer.status).toBe(200);
  }
  expect(bad.seen.length).toBeGreaterThan(0);
});

test('a write whose copy breaks off without an answer is not sent to another copy', async () => {
  const [first, second] = [await dropping(), await dropping()];
  const gateway = await gatewayFor(first.address, second.address);
  const answer = await request(`${gateway.baseUrl}/api/v1/summarize`, post);
  expect(answer.status).toBe(503);
  expect(toJson(answer).error.code).toBe('unavailable');
  expect([...first.seen, ...second.seen]).toEqual(['POST /api/v1/summarize HTTP/1.1']);

  const upload = { method: 'POST', ...toMultipart('a.wav', Buffer.alloc(1_000)) };
  const refused = await request(`${gateway.baseUrl}/api/v1/lectures`, upload);
  expect(refused.status).toBe(503);
  expect([...first.seen, ...second.seen].filter((line) => line.includes('lectures'))).toHaveLength(1);
});

test('a write whose copy refuses the connection goes to another copy', async () => {
  const good = await answering();
  const [closed] = (await freePorts(1)) as [number];
  const gateway = await gatewayFor(`127.0.0.1:${closed}`, good.address);
  for (let i = 0; i < 4; i++) {
    const answer = await request(`${gateway.baseUrl}/api/v1/summarize`, post);
    expect(answer.status).toBe(200);
  }
  expect(good.seen).toHaveLength(4);
});

test('a name that nobody knows: the gateway starts without it, and with no other it refuses with 503', async () => {
  const good = await answering();
  const known = good.address.replace('127.0.0.1', 'localhost');
  const gateway = await gatewayFor('no-such-copy.invalid:3000', known);
  expect((await request(`${gateway.baseUrl}/api/v1/lectures`)).status).toBe(200);
  const alone = await gatewayFor('no-such-copy.invalid:3000');
  const answer = await request(`${alone.baseUrl}/api/v1/lectures`);
  expect(answer.status).toBe(503);
  expect(toJson(answer).error.code).toBe('unavailable');
});

test('the fast health route of a gateway with a copy that hangs is answered by another copy', async () => {
  const [bad, good] = [await hanging(), await answering()];
  const gateway = await gatewayFor(bad.address, good.address);
  const answers = await Promise.all([1, 2, 3].map(() => request(`${gateway.baseUrl}/health/fast`)));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  expect(bad.seen.length).toBeGreaterThan(0);
});

test('the fast health route of a gateway whose only copy hangs gives up with 504 in our form', async () => {
  const bad = await hanging();
  const gateway = await gatewayFor(bad.address);
  const answer = await request(`${gateway.baseUrl}/health/fast`);
  expect(answer.status).toBe(504);
  expect(toJson(answer).error.code).toBe('timeout');
});

test('without any copy a request is refused with 503, Retry-After and our form', async () => {
  const [closed] = (await freePorts(1)) as [number];
  const gateway = await gatewayFor(`127.0.0.1:${closed}`);
  const answer = await request(`${gateway.baseUrl}/api/v1/lectures`);
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(toJson(answer)).toEqual({
    error: {
      code: 'unavailable',
      message: 'No copy of the service answers at the moment; try again shortly.',
      requestId: answer.headers['x-request-id'],
    },
  });
});

test('what a caller claims about its own address does not reach the copies, its trace does', async () => {
  let head = '';
  const server = net.createServer((socket) => {
    socket.on('data', (part) => {
      head += part.toString('latin1');
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const gateway = await gatewayFor(`127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  const { host } = new URL(gateway.baseUrl);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await request(`${gateway.baseUrl}/api/v1/lectures?q=1`, {
    from: '127.0.0.77',
    headers: { 'x-forwarded-for': '10.1.1.1', 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'https', traceparent },
  });
  expect(head).toMatch(/^GET \/api\/v1\/lectures\?q=1 HTTP\/1\.1\r\n/);
  const headers = new Map(head.split('\r\n').map((line) => line.toLowerCase().split(': ') as [string, string]));
  expect(headers.get('x-forwarded-for')).toBe('127.0.0.77');
  expect(headers.get('x-forwarded-host')).toBe(host);
  expect(headers.get('x-forwarded-proto')).toBe('http');
  expect(headers.get('host')).toBe(host);
  expect(headers.get('traceparent')).toBe(traceparent);
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
});

test('what a trusted proxy says of address and TLS reaches the copies, and counts for the limits; made-up addresses do not', async () => {
  const copy = await startEchoingCopy();
  const gateway = await startGateway([copy.address], {
    healthy: false,
    env: { TRUSTED_PROXIES: '127.0.0.90 127.0.9.0/24' },
  });
  closers.push(gateway.close);
  const ask = (from: string, forwardedFor: string, proto = 'https') =>
    request(`${gateway.baseUrl}/api/v1/lectures`, {
      from,
      headers: { 'x-forwarded-for': forwardedFor, 'x-forwarded-proto': proto },
    });
  const seen = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).body.toString();
  expect(await seen('127.0.0.90', '203.0.113.5')).toBe('203.0.113.5 https');
  expect(await seen('127.0.9.7', '10.9.9.9, 203.0.113.6, 127.0.0.90', 'http')).toBe('203.0.113.6 http');
  expect(await seen('127.0.0.90', '203.0.113.5', 'ftp')).toBe('203.0.113.5 http');
  expect(await seen('127.0.0.91', '203.0.113.5')).toBe('127.0.0.91 http');

  const many = (forwardedFor: string) => Promise.all(Array.from({ length: 60 }, () => ask('127.0.0.90', forwardedFor)));
  expect((await many('203.0.113.7')).filter(({ status }) => status === 429)).not.toEqual([]);
  expect((await ask('127.0.0.90', '203.0.113.8')).status).toBe(200);
});

test('the topics of a course, which a worker may have to find: waited for as long as for other work', async () => {
  const rendered = await readFile(path.join(rootDir, 'nginx/gateway.conf.template'), 'utf8');
  const found = [...rendered.matchAll(/location ~\* (\S+) \{([^}]*)\}/g)].find(([, pattern = '']) =>
    new RegExp(pattern, 'i').test('/api/v1/courses/01jd/topics'),
  );
  expect(found?.[2]).toContain('proxy_read_timeout 300s;');
});

test.each(['*', '10.0.0.0/8; }', 'proxy.example'])('TRUSTED_PROXIES=%s: refused with its reason', (proxies) => {
  const env = { PATH: process.env.PATH, TRUSTED_PROXIES: proxies, RUN_DIR: path.join(tmpdir(), 'studymate-refused') };
  const { status, stderr } = spawnSync(path.join(rootDir, 'nginx/start.sh'), ['-t'], { env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('TRUSTED_PROXIES');
});
