import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readEventStream } from '@studymate/client/event-stream';
import { toPlainError } from '@studymate/contracts/errors';
import type { LanguageModel } from '@studymate/language-model/language-model';
import { createLogger } from '@studymate/observability/logger';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import type { QuickResult } from '@studymate/queue/quick';
import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isLooping, isNonsense } from '../src/summaries/judge-answer.ts';
import { createSummaries } from '../src/summaries/summaries.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

/** Speaks OpenAI's protocol, or something else, as each test says. */
let speak: (res: ServerResponse, req: IncomingMessage, body: string) => unknown;
let asked: { path: string; key: string | undefined; body: { messages: { content: string }[]; stream: boolean } }[];
let server: Server;
/** What the worker is asked for, and answers. */
let jobs: QuickJobData[];
let api: TestApi;
/** Does not wait long for the model. */
let impatient: TestApi;
let plain: TestApi;
const closers: (() => Promise<unknown>)[] = [];

const sentences = [
  { text: 'Caxton printed books.', index: 1 },
  { text: 'Type is cast in lead.', index: 4 },
];
const extracted = 'Caxton printed books. Type is cast in lead.';

async function answerJobs({ config }: TestApi): Promise<void> {
  const connection: Redis = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
  const answer = async ({ data }: { data: QuickJobData }): Promise<QuickResult> => {
    try {
      jobs.push(data);
      return { ok: true, value: data.kind === 'opening' ? sentences[0] : { summary: extracted, sentences } };
    } catch (error) {
      return { ok: false, error: toPlainError(error) };
    }
  };
  const worker = new Worker('quick', answer, { connection, prefix: config.redis.prefix });
  closers.push(async () => {
    await worker.close();
    connection.disconnect();
  });
}

beforeAll(async () => {
  server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    asked.push({ path: req.url ?? '', key: req.headers.authorization, body: JSON.parse(body) });
    speak(res, req, body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  const env: Record<string, string> = {
    LLM_BASE_URL: baseUrl,
    LLM_API_KEY: 'key-of-the-model',
    LLM_MODEL: 'small',
    LLM_STALL_SECONDS: '90',
  };
  // Most of the tests are about a server that fails; what comes of too many failures has one of its own.
  env.BREAKER_FAILURES = '1000';
  api = await startTestApi({ redisUrl: testRedisUrl(), env });
  impatient = await startTestApi({ redisUrl: testRedisUrl(), env: { ...env, LLM_STALL_SECONDS: '1' } });
  plain = await startTestApi({ redisUrl: testRedisUrl() });
  for (const each of [api, impatient, plain]) {
    closers.push(() => each.close());
    await answerJobs(each);
  }
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  jobs = [];
  asked = [];
  speak = (res) => res.writeHead(500).end();
});

const source = 'William Caxton printed books with movable type that was cast in lead, and sold them in Westminster.';
const good =
  'Caxton printed and sold books in Westminster. His movable type was cast in lead, letter by letter, for years and years; his books were in English.';
let texts = 0;
/** One that is in no cache. */
const newText = () => `${source} ${++texts}`;

const post = (t: TestApi, body: object, init: RequestInit = {}) =>
  fetch(`${t.url}/api/v1/summarize/stream`, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });

async function readPieces(response: Response): Promise<string[]> {
  if (!response.body) throw new Error('no body');
  const pieces: string[] = [];
  for await (const { data } of readEventStream(response.body)) {
    const { content, done } = JSON.parse(data) as { content: string; done: boolean };
    if (done) {
      expect(content).toBe('');
      return pieces;
    }
    pieces.push(content);
  }
  throw new Error('the stream ended without its last event');
}
const read = async (t: TestApi, text: string, init?: RequestInit) =>
  (await readPieces(await post(t, { text }, init))).join('');

const toEvent = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const toTokens = (text: string) => text.split(/(?= )/);
const begin = (res: ServerResponse) => res.writeHead(200, { 'content-type': 'text/event-stream' });

describe('a text that is summarised by a language model', () => {
  test('comes token by token, before the model has ended, and is asked for as OpenAI asks', async () => {
    let finish = () => {};
    speak = (res) => {
      begin(res);
      for (const token of toTokens(good)) res.write(toEvent(token));
      finish = () => res.end(`${toEvent('', 'stop')}data: [DONE]\n\n`);
    };
    const text = newText();
    const response = await post(api, { text, maxSentences: 2 });
    const pieces: string[] = [];
    for await (const { data } of readEventStream(response.body as ReadableStream<Uint8Array>)) {
      pieces.push((JSON.parse(data) as { content: string }).content);
      // It is not done before it has been heard: nothing is held back until the end but the first words.
      if (pieces.length === 1) finish();
    }
    expect(pieces.join('')).toBe(good);
    expect(asked).toMatchObject([{ path: '/v1/chat/completions', key: 'Bearer key-of-the-model' }]);
    expect(asked[0]?.body).toMatchObject({ model: 'small', stream: true });
    expect(asked[0]?.body.messages.at(-1)?.content).toBe(text);
    expect(jobs).toEqual([]);
  });

  test('comes whole from a server that does not stream', async () => {
    speak = (res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ choices: [{ message: { content: good }, finish_reason: 'stop' }] }));
    };
    expect(await read(api, newText())).toBe(good);
  });

  test('again: from the cache, in the same pieces, for the same settings alone', async () => {
    speak = (res) => {
      begin(res).end(
        toTokens(good)
          .map((token) => toEvent(token))
          .join('') + toEvent('', 'stop'),
      );
    };
    const text = newText();
    const [first, second] = [await post(api, { text }), await post(api, { text })];
    const pieces = await readPieces(first);
    expect(await readPieces(second)).toEqual(pieces);
    expect([first, second].map(({ headers }) => headers.get('x-cache'))).toEqual(['miss', 'hit']);
    expect(asked).toHaveLength(1);
    await readPieces(await post(api, { text, maxSentences: 1 }));
    await read(api, text, { headers: { 'cache-control': 'no-cache' } });
    expect(asked).toHaveLength(3);
    expect(await readPieces(await post(plain, { text }))).toEqual(['Caxton printed books.', ' Type is cast in lead.']);
  });

  test.each([
    ['answers with an error', (res: ServerResponse) => res.writeHead(500).end()],
    ['redirects', (res: ServerResponse) => res.writeHead(307, { location: '/v1/elsewhere' }).end()],
    ['gives an empty answer', (res: ServerResponse) => begin(res).end(toEvent('', 'stop'))],
    ['gives white space', (res: ServerResponse) => begin(res).end(toEvent('  \n', 'stop'))],
    ['gives signs', (res: ServerResponse) => begin(res).end(toEvent('#### @@@@ %%%%', 'stop'))],
    [
      'speaks of something else',
      (res: ServerResponse) =>
        begin(res).end(toEvent('Penguins waddle across frozen ground towards distant colonies.', 'stop')),
    ],
    ['breaks off at once', (res: ServerResponse) => begin(res).end(toEvent('Caxton'))],
    ['is no such server', (res: ServerResponse) => res.end('<html><body>Hello</body></html>')],
    ['answers in another form', (res: ServerResponse) => begin(res).end('data: {"text":"Caxton"}\n\n')],
    ['never ends a line', (res: ServerResponse) => begin(res).end(`data: ${'x'.repeat(300_000)}`)],
  ] as [string, typeof speak][])(
    'by one that %s: sentences of the text instead, and they are not kept',
    async (_, act) => {
      speak = act;
      const text = newText();
      expect(await read(api, text)).toBe(extracted);
      expect(asked.every(({ path }) => path === '/v1/chat/completions')).toBe(true);
      speak = (res) => begin(res).end(toEvent(good, 'stop'));
      expect(await read(api, text)).toBe(good);
    },
  );

  test.each([
    ['says nothing', () => {}],
    [
      'says only that it lives',
      (res: ServerResponse) => {
        begin(res);
        const timer = setInterval(() => res.write(': keep-alive\n\n'), 50);
        res.on('close', () => clearInterval(timer));
      },
    ],
  ] as [string, typeof speak][])('by one that %s: sentences of the text instead', async (_, act) => {
    speak = act;
    expect(await read(impatient, newText())).toBe(extracted);
  });

  test('by one that breaks off in the middle: sentences of the text follow', async () => {
    speak = (res) => void begin(res).write(toEvent(good), () => res.destroy());
    expect(await read(api, newText())).toBe(`${good}\n\n${extracted}`);
  });

  test('by one that stalls: the same sentences, after what it has said in time', async () => {
    speak = (res) => {
      begin(res).write(toEvent(good));
    };
    // On a slow machine not even its first words may come in time.
    expect([extracted, `${good}\n\n${extracted}`]).toContain(await read(impatient, newText()));
  });

  test('by one that repeats itself without end: it is stopped', async () => {
    speak = (res) => {
      begin(res);
      for (let i = 0; i < 500; i++) res.write(toEvent('Caxton printed books. '));
      res.end(toEvent('', 'stop'));
    };
    const answer = await read(api, newText());
    expect(answer.length).toBeLessThan(1_000);
    expect(answer.endsWith(`\n\n${extracted}`)).toBe(true);
  });

  test('whose caller goes away: the model is told to stop', async () => {
    const stopped = new Promise<void>((resolve) => {
      speak = (res) => {
        begin(res).write(toEvent(good));
        res.on('close', resolve);
      };
    });
    const leaving = new AbortController();
    const response = await post(api, { text: newText() }, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await stopped;
  });

  test('whose caller goes away: that is no fault of ours, and nothing else is tried', async () => {
    const leaving = new AbortController();
    const model: LanguageModel = {
      model: 'small',
      name: 'small',
      async *write() {
        yield* [];
        leaving.abort();
        throw new Error('the connection was closed');
      },
    };
    const call = () => Promise.reject(new Error('not to be asked'));
    const logger = createLogger({ name: 'test', level: 'info', destination: { write: () => {} } });
    const breaker = { begin: async () => ({ end() {} }) };
    const pieces = createSummaries({ quick: { call }, model, breaker, logger }).stream(
      { text: source },
      leaving.signal,
    );
    await expect(pieces[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('a server that fails five times: is not asked for a while, and one request tries it again', async () => {
  const address = server.address() as AddressInfo;
  const env = { LLM_BASE_URL: `http://127.0.0.1:${address.port}/v1`, LLM_MODEL: 'small', BREAKER_OPEN_SECONDS: '3' };
  const t = await startTestApi({ redisUrl: testRedisUrl(), env });
  closers.push(() => t.close());
  await answerJobs(t);
  for (let i = 0; i < 5; i++) expect(await read(t, newText())).toBe(extracted);
  expect(asked).toHaveLength(5);
  speak = (res) => begin(res).end(toEvent(good, 'stop'));
  const state = async (name: string) =>
    (await t.metrics.text()).match(`dependency="language_model",state="${name}".*} (.)`)?.[1];
  expect([await state('open'), await read(t, newText()), asked.length]).toEqual(['1', extracted, 5]);
  await until(async () => (await read(t, newText())) === good, 'the server to be asked again');
  expect(await state('closed')).toBe('1');
});

test('texts to which its answer is of no use, or which it refuses, however many: the server is asked for the next one', async () => {
  const address = server.address() as AddressInfo;
  const env = { LLM_BASE_URL: `http://127.0.0.1:${address.port}/v1`, LLM_MODEL: 'small', BREAKER_FAILURES: '2' };
  const t = await startTestApi({ redisUrl: testRedisUrl(), env });
  closers.push(() => t.close());
  await answerJobs(t);
  const ways: (typeof speak)[] = [
    (res) => begin(res).end(toEvent('Penguins waddle across frozen ground.', 'stop')),
    (res) => begin(res).end(toEvent('Caxton printed books. '.repeat(500), 'stop')),
    (res) => begin(res).end(toEvent('Caxton printed books. '.repeat(2_000), 'stop')),
    (res) => res.writeHead(400).end(),
  ];
  for (const way of [...ways, ...ways]) {
    speak = way;
    expect(await read(t, newText())).toContain(extracted);
  }
  speak = (res) => begin(res).end(toEvent(good, 'stop'));
  expect(await read(t, newText())).toBe(good);
});

test('a long text: a sentence of its beginning first, then the rest, which does not tell it again', async () => {
  const text = `${`${source} `.repeat(100)}${newText()}`;
  const response = await post(plain, { text });
  expect(await readPieces(response)).toEqual(['Caxton printed books.', ' Type is cast in lead.']);
  expect(jobs).toMatchObject([
    { kind: 'opening', text: text.slice(0, 4_000) },
    { kind: 'summarize', opening: 1 },
  ]);
  const again = await post(plain, { text });
  expect([again.headers.get('x-cache'), (await readPieces(again)).join('')]).toEqual(['hit', extracted]);
  expect(jobs).toHaveLength(2);
});

test('no-store: nothing is kept', async () => {
  const text = newText();
  for (let time = 0; time < 2; time++) await read(plain, text, { headers: { 'cache-control': 'no-store' } });
  expect(jobs).toHaveLength(2);
});

test('isNonsense: by letters and by words of the text, in inflections; writing without spaces is let through', () => {
  expect(isNonsense('Here is a summary: printers printing with types', 'The printer prints. Typesetting.')).toBe(false);
  expect(isNonsense('活字印刷の歴史について', '活字印刷')).toBe(false);
  expect(isNonsense('…', 'text')).toBe(true);
  expect(isNonsense('Penguins waddle across frozen ground', 'Lead type and paper')).toBe(true);
});

test('isLooping: an end that is one short piece over and over, and no ordinary text', () => {
  expect(isLooping(`A beginning. ${'na '.repeat(120)}`)).toBe(true);
  expect(isLooping('a'.repeat(300))).toBe(true);
  expect(isLooping(good.repeat(3).slice(0, 299))).toBe(false);
  expect(
    isLooping(`${good} ${source} ${extracted} Something else is said here, which has not been said before, at all.`),
  ).toBe(false);
});
