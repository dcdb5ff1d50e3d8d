import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3Client, type S3Client } from '../src/s3-client.ts';
import { createS3Objects, type S3Objects } from '../src/s3-objects.ts';

/** A server that keeps objects in memory, and fails in the way that a test wants. What S3 really does: e2e/system. */
let server: Server;
let client: S3Client;
let objects: S3Objects;
let kept: Map<string, { body: Buffer; headers: IncomingMessage['headers'] }>;
/** Called with each request; `false`: it was dealt with. */
let fail: (req: IncomingMessage, res: ServerResponse, when: 'before' | 'after') => boolean;
let requests: string[];

const refuse = (res: ServerResponse, status: number, code: string) =>
  res.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`);

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const key = String(req.url);
  requests.push(`${req.method} ${key} ${req.headers.range ?? ''}`.trim());
  const body = await buffer(req);
  if (!fail(req, res, 'before')) return;
  if (req.method === 'PUT') {
    const isTaken = req.headers['if-none-match'] === '*' && kept.has(key);
    if (!isTaken) kept.set(key, { body, headers: req.headers });
    if (!fail(req, res, 'after')) return;
    if (isTaken) refuse(res, 412, 'PreconditionFailed');
    else res.end();
    return;
  }
  const found = kept.get(key);
  if (!found) return void refuse(res, 404, 'NoSuchKey');
  const [, start] = /bytes=(\d+)-/.exec(req.headers.range ?? '') ?? [];
  const part = found.body.subarray(Number(start ?? 0));
  res.writeHead(start === undefined ? 200 : 206, {
    etag: '"1"',
    'content-length': part.length,
    'x-amz-meta-writer': String(found.headers['x-amz-meta-writer']),
  });
  if (fail(req, res, 'after')) res.end(part);
}

beforeEach(async () => {
  kept = new Map();
  requests = [];
  fail = () => true;
  server = createServer((req, res) => void answer(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = createS3Client({
    endpoint: `http://127.0.0.1:${port}`,
    ...{ region: 'us-east-1', bucket: 'lectures', prefix: 'p/', accessKeyId: 'key', secretAccessKey: 'secret' },
    sessionToken: 'for a time',
    pathStyle: true,
  });
  objects = createS3Objects(client);
});
afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

/** Lets something happen to the first request alone. */
function once1(when: 'before' | 'after', what: (res: ServerResponse) => void): void {
  let isOver = false;
  fail = (_req, res, at) => {
    if (isOver || at !== when) return true;
    isOver = true;
    what(res);
    return false;
  };
}

const text = (value: string) => Buffer.from(value);

describe('an exclusive creation', () => {
  it('whose answer is lost after it was done: is tried again, and knows its own', async () => {
    once1('after', (res) => res.destroy());
    expect(await objects.create('a', text('mine'))).toBe(true);
    expect(requests).toEqual(['PUT /lectures/p/a', 'PUT /lectures/p/a', 'HEAD /lectures/p/a']);
  });

  it('whose answer is lost, and which another did meanwhile: is not ours', async () => {
    once1('before', (res) => {
      kept.set('/lectures/p/a', { body: text('theirs'), headers: { 'x-amz-meta-writer': 'other' } });
      res.destroy();
    });
    expect(await objects.create('a', text('mine'))).toBe(false);
    expect(await objects.read('a')).toEqual(text('theirs'));
  });

  it('that meets another on its way (409): is decided by the next try', async () => {
    once1('before', (res) => refuse(res, 409, 'ConditionalRequestConflict'));
    expect(await objects.create('a', text('mine'))).toBe(true);
  });

  it('of much under a name that is taken: asks first, and sends nothing', async () => {
    await objects.put('a', text('there'));
    expect(await objects.create('a', Buffer.alloc(1_000_000))).toBe(false);
    expect(requests.slice(1)).toEqual(['HEAD /lectures/p/a']);
  });
});

describe('a server that', () => {
  it('is busy, and then is not: is asked again', async () => {
    await objects.put('a', text('x'));
    once1('before', (res) => refuse(res, 503, 'SlowDown'));
    expect(await objects.read('a')).toEqual(text('x'));
  });

  it('stays busy: storage_unavailable, after four tries', async () => {
    fail = (_req, res) => {
      refuse(res, 503, 'SlowDown');
      return false;
    };
    await expect(objects.read('a')).rejects.toMatchObject({ code: 'storage_unavailable', retryable: true });
    expect(requests).toHaveLength(4);
  });

  it('has no room: storage_full, at once', async () => {
    once1('before', (res) => refuse(res, 507, 'XMinioStorageFull'));
    await expect(objects.put('a', text('x'))).rejects.toMatchObject({ code: 'storage_full' });
    expect(requests).toHaveLength(1);
  });

  it('refuses: storage_unavailable that names no address to callers', async () => {
    once1('before', (res) => refuse(res, 403, 'AccessDenied'));
    const error = await objects.put('a', text('x')).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'storage_unavailable', message: 'The store cannot be used (AccessDenied).' });
    expect(error.cause.message).toContain('lectures at 127.0.0.1');
  });

  it('is behind a proxy that says 404 itself: storage_unavailable, for that is no word on the blob', async () => {
    await objects.put('a', text('x'));
    fail = (_req, res) => {
      res.writeHead(404, { 'content-type': 'text/plain' }).end('default backend - 404');
      return false;
    };
    const away = { code: 'storage_unavailable' };
    await expect(objects.read('a')).rejects.toMatchObject(away);
    await expect(objects.stat('a')).rejects.toMatchObject(away);
    await expect(objects.delete('a')).rejects.toMatchObject(away);
    await expect(objects.stream('a').next()).rejects.toMatchObject(away);
    fail = () => true;
    expect(await objects.stat('b')).toBeNull();
  });

  it('is gone: storage_unavailable', async () => {
    server.close();
    server.closeAllConnections();
    const error = await objects.stat('a').catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'storage_unavailable',
      message: 'The store cannot be reached (ECONNREFUSED).',
    });
  });

  it('breaks off in the middle of a stream: it goes on where it was', async () => {
    const bytes = Buffer.alloc(200_000, 'abcdefg');
    await objects.put('a', bytes);
    once1('after', (res) => res.write(bytes.subarray(0, 70_000), () => res.destroy()));
    const parts: Uint8Array[] = [];
    for await (const part of objects.stream('a')) parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(requests.slice(1)).toEqual([
      'GET /lectures/p/a',
      expect.stringMatching(/^GET \/lectures\/p\/a bytes=\d+-$/),
    ]);
  });

  it('breaks off a stream of a store that is closed by then: it is not read on', async () => {
    const bytes = Buffer.alloc(2_000_000, 'a');
    await objects.put('a', bytes);
    const stream = objects.stream('a');
    expect((await stream.next()).done).toBe(false);
    client.close();
    const rest = (async () => {
      for await (const _ of stream);
    })();
    await rest.catch((error) => expect(error).toMatchObject({ message: 'The store is closed.' }));
    expect(requests.slice(1)).toHaveLength(1);
    await expect(objects.read('a')).rejects.toMatchObject({ message: 'The store is closed.' });
  });

  it('breaks off again and again without a byte: storage_unavailable', async () => {
    await objects.put('a', text('x'));
    fail = (_req, res) => {
      res.destroy();
      return false;
    };
    const reading = (async () => {
      for await (const _ of objects.stream('a')) expect.unreachable();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});
