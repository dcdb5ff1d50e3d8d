import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseEvents, readEvents } from '../lib/event-stream.mjs';

async function parsed(...chunks: (string | Buffer)[]) {
  const events = [];
  for await (const event of parseEvents(
    (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk as string);
    })(),
  )) {
    events.push(event);
  }
  return events;
}

test('an event stream cut at any byte gives the same events', async () => {
  const whole = Buffer.from(
    'id: 1-0\r\nevent: stage\r\ndata: {"a":"é…"}\r\n\r\n: beat\n\ndata: x\ndata: y\n\nid\rdata: z\r\r\n',
  );
  const expected = await parsed(whole);
  expect(expected).toEqual([
    { id: '1-0', type: 'stage', data: '{"a":"é…"}' },
    { id: null, type: 'message', data: 'x\ny' },
    { id: '', type: 'message', data: 'z' },
  ]);
  for (let cut = 0; cut <= whole.length; cut++) {
    expect(await parsed(whole.subarray(0, cut), whole.subarray(cut))).toEqual(expected);
  }
});

test('an event without its closing blank line is not given', async () => {
  expect(await parsed('data: half')).toEqual([]);
});

test('a reader whose connection is lost asks for what comes after the last event', async () => {
  const asked: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    const last = request.headers['last-event-id'] as string | undefined;
    asked.push(last);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (last === undefined) {
      response.write('id: 7-0\nevent: stage\ndata: {"part":1}\n\nid: 8-0\nevent: st');
      setImmediate(() => response.destroy());
    } else {
      response.end('id: 8-0\nevent: end\ndata: {"part":2}\n\n');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const stop = new AbortController();
    const events = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for await (const event of readEvents({ url, signal: stop.signal })) {
      events.push(event);
      if (event.type === 'end') break;
    }
    expect(events).toEqual([
      { type: 'stage', data: { part: 1 } },
      { type: 'end', data: { part: 2 } },
    ]);
    expect(asked).toEqual([undefined, '7-0']);
  } finally {
    server.close();
  }
});

test('a reader that is refused says so and does not ask again', async () => {
  let count = 0;
  const server = http.createServer((_request, response) => {
    count += 1;
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const events = readEvents({ url, signal: new AbortController().signal });
    await expect(events.next()).rejects.toThrow('404');
    expect(count).toBe(1);
  } finally {
    server.close();
  }
});
