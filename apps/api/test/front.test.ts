import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createFront, type Front } from '../src/front.ts';

let front: Front;
let url: string;
const start = async (options: { headersTimeoutMs?: number } = {}) => {
  front = await createFront({ host: '127.0.0.1', port: 0, maxBodyBytes: 1_000_000, ...options });
  url = `http://127.0.0.1:${front.port}`;
};
afterEach(() => front.close(0));

const post = (body: string) => fetch(`${url}/given`, { method: 'POST', body });

/** Sends requests, and resolves when all of them have come and wait. */
async function sendWaiting(count: number): Promise<Promise<Response>[]> {
  let come = 0;
  const all = new Promise<void>((resolve) => {
    front.server.on('request', () => {
      come++;
      if (come === count) resolve();
    });
  });
  const answers = Array.from({ length: count }, (_, i) => post(`body ${i}`));
  await all;
  return answers;
}

test('requests before the app is loaded: wait, and the app gets each with its whole body', async () => {
  await start();
  const answers = await sendWaiting(20);
  const health = await fetch(`${url}/health/fast`, { headers: { 'x-request-id': 'probe-1' } });
  expect([health.status, health.headers.get('x-request-id')]).toEqual([200, 'probe-1']);
  front.open(async (req, res) => {
    let text = '';
    for await (const part of req) text += part;
    res.end(`got ${text}`);
  });
  const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
  expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => `got body ${i}`));
});

test('a request whose sender has gone before the app is loaded: the app never sees it', async () => {
  await start();
  const come = once(front.server, 'request');
  post('x').catch(() => {});
  const [req, res] = (await come) as [IncomingMessage, ServerResponse];
  const gone = once(res, 'close');
  req.socket.destroy();
  await gone;
  let seen = 0;
  front.open((_req, answer) => {
    seen++;
    answer.end();
  });
  expect((await fetch(`${url}/other`)).status).toBe(200);
  expect(seen).toBe(1);
});

test('a stop before the app is loaded: whoever waits is told to come back, with a code', async () => {
  await start();
  const answers = await sendWaiting(3);
  const closed = front.close(5_000);
  for (const answer of answers) {
    const response = await answer;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ error: { code: 'unavailable', requestId: expect.any(String) } });
  }
  await closed;
  let seen = 0;
  front.open(() => seen++);
  await expect(fetch(`${url}/health/fast`)).rejects.toThrow();
  expect(seen).toBe(0);
});

test('a stop with a connection on which nothing has come yet: does not wait for it', async () => {
  await start();
  const accepted = once(front.server, 'connection');
  const socket = connect(front.port, '127.0.0.1');
  const closed = once(socket, 'close');
  await accepted;
  // The test fails by its own time limit should the stop wait for this one.
  await front.close(600_000);
  await closed;
});

/** Sends bytes that are no whole request. @returns what comes back until the connection is closed */
async function sendRaw(text: string): Promise<{ head: string; error: { code: string; requestId: string } }> {
  const socket = connect(front.port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  socket.on('data', (part) => {
    answer += part;
  });
  await once(socket, 'close');
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { head, ...(JSON.parse(body) as { error: { code: string; requestId: string } }) };
}

test.each([
  ['headers that do not come to an end', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 408, 'request_timeout'],
  [
    'headers that are too large',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  ['what is no HTTP', 'hello?\r\n\r\n', 400, 'invalid_request'],
])('%s: refused with a code and a request id, and the connection is closed', async (_, text, status, code) => {
  await start({ headersTimeoutMs: 500 });
  const { head, error } = await sendRaw(text);
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(error.code).toBe(code);
  expect(head).toContain(`x-request-id: ${error.requestId}`);
});

test('a connection on which nothing comes: closed when the time for headers is over', async () => {
  await start({ headersTimeoutMs: 500 });
  const socket = connect(front.port, '127.0.0.1');
  socket.resume();
  await once(socket, 'close');
});
