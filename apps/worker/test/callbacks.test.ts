import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CallbackEvent, callbackEventSchema } from '@studymate/contracts/callbacks';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { createLogger } from '@studymate/observability/logger';
import { createRedis } from '@studymate/queue/redis';
import { UnrecoverableError, Worker } from 'bullmq';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createCallbacks } from '../src/callbacks/callbacks.ts';
import { postCallback } from '../src/callbacks/post-callback.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

const secret = 'a secret of this test'.replaceAll(' ', '-');

let server: Server;
let received: { path: string; headers: IncomingHttpHeaders; body: string }[];
let answer: (res: ServerResponse) => void;
let url: string;
let runners: TestRunners;
beforeAll(async () => {
  server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    received.push({ path: req.url ?? '', headers: req.headers, body });
    answer(res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/done?token=1`;
  runners = await openTestRunners();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await runners?.close();
});
beforeEach(() => {
  received = [];
  answer = (res) => res.end();
});

const { signal } = new AbortController();
const always = { isLast: false, signal };
const log: Record<string, unknown>[] = [];
const logger = createLogger({
  name: 'test',
  level: 'info',
  destination: { write: (line) => log.push(JSON.parse(line)) },
});
const create = (options: { allowPrivate?: boolean; secret?: string | null } = {}) =>
  createCallbacks({ ...runners, secret, allowPrivate: true, logger, ...options });

const failure = { code: 'not_media', message: 'no', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
const makeFailed = (changes: Partial<LectureRecord> = {}) =>
  runners.makeLecture({ callbackUrl: url, failures: { ingest: failure }, ...changes });
const jobOf = async ({ id }: LectureRecord, mark = 0) =>
  (await runners.queues.all().get('callbacks')?.getJob(`callback-${id}-${mark}`))?.data;

const event = { id: 'x', event: 'lecture.ready', lecture: {} } as CallbackEvent;
const post = (target: { url: string; allowPrivate?: boolean }, options = {}) =>
  postCallback({ secret, allowPrivate: true, ...target }, event, { signal, ...options });

test('an end is told once, with a signature over time and body, however often it is asked for', async () => {
  const record = await makeFailed();
  const callbacks = create();
  await callbacks.tell(record);
  await callbacks.tell(record);
  expect(await jobOf(record)).toEqual({ lectureId: record.id, mark: 0 });
  await callbacks.run({ lectureId: record.id, mark: 0 }, always);
  await callbacks.run({ lectureId: record.id, mark: 0 }, always);
  expect(received).toHaveLength(1);
  const [{ path, headers, body } = { path: '', headers: {} as IncomingHttpHeaders, body: '' }] = received;
  expect(path).toBe('/done?token=1');
  const [, time, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['studymate-signature'])) ?? [];
  expect(digest).toBe(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex'));
  expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60);
  const told = callbackEventSchema.parse(JSON.parse(body));
  expect(told).toMatchObject({ event: 'lecture.failed', lecture: { id: record.id, status: 'failed' } });
  expect(headers['studymate-event-id']).toBe(told.id);
  expect(JSON.stringify(log)).not.toContain('token=1');
});

test('what is not to be told: a lecture without an address, one in progress, without a secret', async () => {
  const unwanted = await runners.makeLecture({ failures: { ingest: failure } });
  const running = await runners.makeLecture({ callbackUrl: url });
  const secretless = await makeFailed();
  await create().tell(unwanted);
  await create().tell(running);
  await create({ secret: null }).tell(secretless);
  for (const record of [unwanted, running, secretless]) expect(await jobOf(record)).toBeUndefined();
  await create().run({ lectureId: running.id, mark: 0 }, always);
  expect(received).toEqual([]);
});

test('a receiver that fails is asked again under the same event id; after the last try it is left alone', async () => {
  const record = await makeFailed();
  const job = { lectureId: record.id, mark: 0 };
  answer = (res) => res.writeHead(500).end();
  await expect(create().run(job, always)).rejects.toThrow('500');
  await create().run(job, { isLast: true, signal });
  await create().run(job, always);
  expect(received).toHaveLength(2);
  expect(new Set(received.map(({ headers }) => headers['studymate-event-id'])).size).toBe(1);
  await create().tell(record);
  expect(await jobOf(record)).toBeUndefined();
});

test('a retry of the lecture has an end of its own; the news of the one before is dropped', async () => {
  const { id } = await makeFailed();
  await runners.lectures.update(id, (record) => ({ ...record, attempts: { ingest: 2 }, failures: {} }));
  await create().run({ lectureId: id, mark: 0 }, always);
  expect(received).toEqual([]);
  const ended = await runners.lectures.update(id, (record) => ({ ...record, cancelledAt: record.createdAt }));
  if (ended) await create().tell(ended);
  await create().run({ lectureId: id, mark: 1 }, always);
  expect(received.map(({ body }) => JSON.parse(body).event)).toEqual(['lecture.cancelled']);
});

test('after a loss of Redis the reindex finds what was not told, and nothing that was', async () => {
  const [told, untold] = [await makeFailed(), await makeFailed()];
  await create().run({ lectureId: told.id, mark: 0 }, always);
  const runner = runners.createRunner({});
  await runners.createReconciler(runner, undefined, create()).reindex();
  expect([await jobOf(told), await jobOf(untold)]).toEqual([undefined, { lectureId: untold.id, mark: 0 }]);
});

test('a job that failed and could not note it is queued again when the end is told the next time', async () => {
  const record = await makeFailed();
  await create().tell(record);
  const connection = createRedis({ url: runners.redisUrl, kind: 'consumer', onError: () => {} });
  const giveUp = async () => {
    throw new UnrecoverableError('the disk is full');
  };
  const worker = new Worker('callbacks', giveUp, { connection, prefix: runners.prefix, autorun: false });
  try {
    const failedAll = vi.waitFor(async () => expect(await jobOf(record)).toBeUndefined(), { timeout: 90_000 });
    worker.run().catch(() => {});
    await failedAll;
  } finally {
    await worker.close();
    connection.disconnect();
  }
  await create().tell(record);
  expect(await jobOf(record)).toEqual({ lectureId: record.id, mark: 0 });
});

test('a redirect is not followed, and a gone receiver is not asked again', async () => {
  answer = (res) => res.writeHead(302, { location: '/elsewhere' }).end();
  await expect(post({ url })).rejects.toThrow('302');
  expect(received.map(({ path }) => path)).toEqual(['/done?token=1']);
  answer = (res) => res.writeHead(410).end();
  await expect(post({ url })).rejects.toMatchObject({ code: 'callback_refused' });
});

test('an answer that never comes, and one that never ends', async () => {
  answer = () => {};
  await expect(post({ url }, { timeoutMs: 200 })).rejects.toThrow();
  answer = (res) => {
    res.write('x'.repeat(1_000_000));
  };
  await post({ url });
});

test('private addresses: refused by number, by name, and when one of several is; the name is looked up once', async () => {
  const strict = { allowPrivate: false };
  await expect(post({ url, ...strict })).rejects.toMatchObject({ code: 'callback_refused' });
  const named = { url: url.replace('127.0.0.1', 'rebinding.example'), ...strict };
  const toLookup = (...addresses: string[]) => {
    let asked = 0;
    const lookup = async () => {
      asked++;
      return addresses.map((address) => ({ address, family: 4 }));
    };
    return { lookup, asked: () => asked };
  };
  await expect(post(named, toLookup('10.0.0.1'))).rejects.toMatchObject({ code: 'callback_refused' });
  await expect(post(named, toLookup('8.8.8.8', '127.0.0.1'))).rejects.toMatchObject({ code: 'callback_refused' });
  expect(received).toEqual([]);
  // Where it is allowed, the connection goes to the address that was found, under the name that was asked for.
  const known = toLookup('127.0.0.1');
  await post({ ...named, allowPrivate: true }, known);
  expect(known.asked()).toBe(1);
  expect(received[0]?.headers.host).toMatch(/^rebinding\.example:/);
});
