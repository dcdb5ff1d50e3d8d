import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createClient } from '../src/client.ts';
import { readEventStream } from '../src/event-stream.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(handler: RequestListener): Promise<string> {
  const listening = createServer(handler);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function parse(pieces: string[]) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece, 'latin1'));
      controller.close();
    },
  });
  const events = [];
  for await (const event of readEventStream(body)) events.push(event);
  return events;
}

test('readEventStream: names, ids that stay, comments, several data lines, all kinds of line ends', async () => {
  const text =
    'retry: 5\n\n: comment\n\nevent: a\nid: 1\ndata: x\ndata:y\n\ndata\r\n\r\nid: 2\revent: b\rdata:  z\r\rdata: lost';
  const expected = [
    { name: 'a', data: 'x\ny', lastEventId: '1' },
    { name: 'message', data: '', lastEventId: '1' },
    { name: 'b', data: ' z', lastEventId: '2' },
  ];
  expect(await parse([text])).toEqual(expected);
  expect(await parse([...text])).toEqual(expected);
});

test('readEventStream: a character cut between two pieces is put together', async () => {
  const bytes = Buffer.from('data: 🎓\n\n').toString('latin1');
  expect((await parse([...bytes]))[0]?.data).toBe('🎓');
});

test('followLecture across broken connections: goes on with the last id and gives each event once', async () => {
  const lastIds: (string | undefined)[] = [];
  const url = await serve((req, res) => {
    lastIds.push(req.headers['last-event-id'] as string | undefined);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('retry: 1\n\n');
    if (lastIds.length === 1) {
      res.write(
        'event: snapshot\nid: 1-0\ndata: {"lecture":{}}\n\nevent: lecture\nid: 2-0\ndata: {"changes":{}}\n\ndata: {"ha',
      );
      setImmediate(() => res.destroy());
    } else if (lastIds.length === 2) res.end();
    else res.end('event: end\nid: 3-0\ndata: {"status":"ready"}\n\n');
  });
  const types = [];
  for await (const event of createClient({ baseUrl: url }).followLecture('x')) types.push(event.type);
  expect(types).toEqual(['snapshot', 'lecture', 'end']);
  expect(lastIds).toEqual([undefined, '2-0', '2-0']);
});

test('followLecture: 503 is tried again after Retry-After at the earliest, 404 is final, 204 is the end', async () => {
  const times: number[] = [];
  const url = await serve((req, res) => {
    times.push(performance.now());
    if (req.url?.includes('gone')) res.writeHead(404).end('{"error":{"code":"not_found","message":"no"}}');
    else if (times.length === 1) res.writeHead(503, { 'retry-after': '1' }).end();
    else res.writeHead(204).end();
  });
  const client = createClient({ baseUrl: url });
  let reconnects = 0;
  for await (const _ of client.followLecture('x', { onReconnect: () => reconnects++ })) throw new Error('no event');
  expect(reconnects).toBe(1);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  await expect(client.followLecture('gone').next()).rejects.toMatchObject({ code: 'not_found', status: 404 });
});

test('followLecture whose signal is aborted: ends without an error', async () => {
  const url = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('event: snapshot\ndata: {"lecture":{}}\n\n');
  });
  const leaving = new AbortController();
  const types = [];
  for await (const event of createClient({ baseUrl: url }).followLecture('x', { signal: leaving.signal })) {
    types.push(event.type);
    leaving.abort();
  }
  expect(types).toEqual(['snapshot']);
});

test('an answer that is not ours, as from a proxy: an ApiError with the status', async () => {
  const url = await serve((_req, res) => res.writeHead(502, { 'retry-after': '3' }).end('<html>bad gateway'));
  await expect(createClient({ baseUrl: `${url}/` }).listLectures()).rejects.toMatchObject({
    status: 502,
    code: 'internal',
    retryAfterSeconds: 3,
  });
});

test('ids and queries: encoded, so that they cannot change the path', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve((req, res) => {
    seen.push(req.url);
    res.end('{}');
  });
  const client = createClient({ baseUrl: url });
  await client.getLecture('../x?y');
  await client.listLectures({ limit: 5 });
  expect(client.mediaUrl('a/b')).toBe(`${url}/api/v1/lectures/a%2Fb/media`);
  expect(seen).toEqual(['/api/v1/lectures/..%2Fx%3Fy', '/api/v1/lectures?limit=5']);
});

test.each([
  ['made now: it is deleted', {}, ['DELETE /api/v1/lectures/l1', 'DELETE /api/v1/uploads/u1']],
  ['there before: it stays', { 'idempotent-replayed': 'true' }, ['DELETE /api/v1/uploads/u1']],
] as [string, Record<string, string>, string[]][])(
  'an upload that is cancelled while its lecture is made, which was %s',
  async (_, headers, expected) => {
    const deleted: string[] = [];
    let onAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    let answer = () => {};
    const url = await serve((req, res) => {
      if (req.method === 'DELETE') {
        deleted.push(`DELETE ${req.url}`);
        res.writeHead(204).end();
      } else if (req.url === '/api/v1/uploads') {
        res.writeHead(201, { 'tus-resumable': '1.0.0', location: '/api/v1/uploads/u1' }).end();
      } else {
        answer = () => res.writeHead(202, headers).end('{"id":"l1"}');
        onAsked();
      }
    });
    const upload = createClient({ baseUrl: url }).startUpload(new Blob([]));
    await asked;
    const cancelled = upload.cancel();
    answer();
    await cancelled;
    await expect(upload.lecture).rejects.toMatchObject({ name: 'AbortError' });
    expect(deleted).toEqual(expected);
  },
);

test('an upload that is cancelled while it waits to ask for its lecture again: it does not ask again', async () => {
  let asked = 0;
  const url = await serve((req, res) => {
    if (req.url === '/api/v1/uploads') {
      res.writeHead(201, { 'tus-resumable': '1.0.0', location: '/api/v1/uploads/u1' }).end();
    } else if (req.method === 'DELETE') res.writeHead(204).end();
    else {
      asked++;
      res.writeHead(503).end('{}');
    }
  });
  const client = createClient({ baseUrl: url });
  const upload = await new Promise<ReturnType<typeof client.startUpload>>((resolve) => {
    const started = client.startUpload(
      new Blob([]),
      {},
      { retryDelaysMs: [600_000], onWaiting: () => resolve(started) },
    );
  });
  await upload.cancel();
  await expect(upload.lecture).rejects.toMatchObject({ name: 'AbortError' });
  expect(asked).toBe(1);
});
