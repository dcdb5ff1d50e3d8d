import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createGunzip } from 'node:zlib';
import express, { type Response } from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSse } from '../src/http/sse.ts';

/** Nothing that a compressor could make smaller by much. */
const noise = randomBytes(48 * 1024).toString('base64');

/** @returns the port of a server that answers everything with the handler */
async function serve(handler: (res: Response) => Promise<void>): Promise<number> {
  const app = express();
  app.get('/', (_req, res) => handler(res));
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe.each([
  { form: 'plain', gzip: false },
  { form: 'compressed', gzip: true },
])('a $form event stream', ({ gzip }) => {
  test('whose reader does not read: no more than is bounded waits in memory, then its connection is cut', async () => {
    let sent = 0;
    let waiting = 0;
    let finish = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const port = await serve(async (res) => {
      const sse = openSse(res, { drainTimeoutMs: 200, gzip });
      for (; !sse.signal.aborted && sent < 10_000; sent++) {
        await sse.send({ name: 'text', data: noise });
        waiting = Math.max(waiting, res.writableLength);
      }
      finish();
    });
    const socket = connect(port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await over;
    // The rest lies in the buffers of the system, which are some megabytes.
    expect(sent).toBeLessThan(1_000);
    expect(waiting).toBeLessThan(1.2 * 1024 * 1024);
    socket.destroy();
  });

  test('that ends while nothing of it is taken: its connection is cut', async () => {
    let tell = (_: boolean) => {};
    const wasTaken = new Promise<boolean>((resolve) => {
      tell = resolve;
    });
    const port = await serve(async (res) => {
      // As a line whose buffers are full: what is written is never said to be sent.
      Object.assign(res.socket as Socket, { _write() {}, _writev: null });
      const sse = openSse(res, { drainTimeoutMs: 100, gzip });
      await sse.send({ data: noise });
      sse.end();
      await once(res, 'close');
      tell(res.writableFinished);
    });
    const request = get({ port, host: '127.0.0.1' });
    request.on('error', () => {});
    expect(await wasTaken).toBe(false);
    request.destroy();
  });

  test('sends each event at once, and ends', async () => {
    let goOn = () => {};
    const port = await serve(async (res) => {
      const sse = openSse(res, { gzip });
      for (const data of ['one', 'two']) {
        const isSeen = new Promise<void>((resolve) => {
          goOn = resolve;
        });
        await sse.send({ data });
        await isSeen;
      }
      sse.end();
    });
    const [answer] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage];
    let text = '';
    for await (const piece of gzip ? answer.pipe(createGunzip()) : answer) {
      text += piece;
      if (/data: "(one|two)"\n\n$/.test(text)) goOn();
    }
    expect(text).toBe('data: "one"\n\ndata: "two"\n\n');
  });

  test('whose reader leaves: the sender is told', async () => {
    const events: string[] = [];
    let finish = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const port = await serve(async (res) => {
      const sse = openSse(res, { gzip });
      res.on('error', () => events.push('error'));
      await sse.send({ data: 'one' });
      await once(sse.signal, 'abort');
      // Nothing happens any more.
      await sse.send({ data: 'two' });
      sse.comment('three');
      sse.end();
      finish();
    });
    const request = get({ port, host: '127.0.0.1' });
    request.on('error', () => {});
    await once(request, 'response');
    request.destroy();
    await over;
    expect(events).toEqual([]);
  });
});
