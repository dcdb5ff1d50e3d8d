import { AppError, toPlainError } from '@studymate/contracts/errors';
import { type QuickJobData, shortQueues } from '@studymate/queue/job-catalogue';
import { createModelFleet } from '@studymate/queue/model-fleet';
import type { QuickResult } from '@studymate/queue/quick';
import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

/** Stands for the worker at the other end of the real queue. */
let answer: (data: QuickJobData) => Promise<unknown>;
let t: TestApi;
let workers: Worker[];
let connection: Redis;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
  connection = createRedis({ url: testRedisUrl(), kind: 'consumer', onError: () => {} });
  const handle = async (job: Job): Promise<QuickResult> => {
    try {
      return { ok: true, value: await answer(job.data) };
    } catch (error) {
      return { ok: false, error: toPlainError(error) };
    }
  };
  const { prefix } = t.config.redis;
  workers = shortQueues.map((name) => new Worker(name, handle, { connection, prefix }));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  connection?.disconnect();
  await t?.close();
});
beforeEach(() => {
  answer = async () => {
    throw new AppError('internal', 'no answer was prepared');
  };
});

const clipAnswer = {
  text: 'hello',
  language: 'en',
  languageProbability: 0.9,
  confidence: 0.8,
  words: [{ word: 'hello', start: 0, end: 0.5, probability: 0.8 }],
  durationSeconds: 1,
  timings: {
    decodeSeconds: 0.01,
    decodeMethod: 'wav',
    modelLoadSeconds: 0.4,
    inferenceSeconds: 0.1,
    cold: true,
    cached: false,
  },
} as const;

test('a clip: the worker finds its bytes and the language, the caller gets the answer, the clip is gone after', async () => {
  let seen = '';
  answer = async (data) => {
    if (data.kind !== 'transcribe') throw new Error('another kind');
    seen = `${data.language} ${Buffer.from((await t.blobs.read(data.clipKey)) ?? []).toString()}`;
    return clipAnswer;
  };
  expect(await t.client.transcribe(toFile('some sound'), { language: 'English' })).toEqual(clipAnswer);
  expect(seen).toBe('en some sound');
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test('a clip that the worker refuses: its code reaches the caller, the clip is gone', async () => {
  answer = async () => {
    throw new AppError('media_too_long', 'The clip has 61 s.');
  };
  await expect(t.client.transcribe(toFile('x'))).rejects.toMatchObject({ code: 'media_too_long', status: 422 });
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test.each([
  ['empty', '', undefined, 'file_empty'],
  ['too large', 'x'.repeat(25 * 1024 * 1024 + 1), undefined, 'file_too_large'],
  ['in an unknown language', 'x', 'Dothraki', 'unknown_language'],
] as const)('a clip that is %s: refused before it is queued, nothing is left', async (_, text, language, code) => {
  await expect(t.client.transcribe(toFile(text), { ...(language && { language }) })).rejects.toMatchObject({ code });
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test('a clip that comes again: is not asked of a worker; with no-cache it is, with no-store nothing is kept', async () => {
  let asked = 0;
  answer = async () => {
    asked++;
    return clipAnswer;
  };
  const ask = async (text: string, control?: string) => {
    const form = new FormData();
    form.append('file', toFile(text));
    const headers: Record<string, string> = control === undefined ? {} : { 'cache-control': control };
    const response = await fetch(`${t.url}/api/v1/transcribe`, { method: 'POST', body: form, headers });
    const { timings } = (await response.json()) as { timings: { cached: boolean } };
    return `${response.headers.get('x-cache')} ${timings.cached} ${asked}`;
  };
  expect([await ask('again'), await ask('again')]).toEqual(['miss false 1', 'hit true 1']);
  expect(await ask('again', 'no-cache')).toBe('miss false 2');
  expect([await ask('other', 'max-age=0, No-Store'), await ask('other')]).toEqual(['miss false 3', 'miss false 4']);
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test('equal clips at the same time: are asked of a worker once, and none is left behind', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  answer = async () => {
    asked++;
    await released;
    return clipAnswer;
  };
  const clips = Array.from({ length: 8 }, () => t.client.transcribe(toFile('the same, eight times')));
  await until(async () => asked > 0, 'the worker to be asked');
  release();
  const answers = await Promise.all(clips);
  expect([asked, answers.filter(({ timings }) => !timings.cached).length]).toEqual([1, 1]);
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test('a text that comes again: is not asked of a worker', async () => {
  let asked = 0;
  answer = async () => {
    asked++;
    return { topics: [], assignments: [null] };
  };
  const documents = ['a text that comes again'];
  expect(await t.client.topics({ documents })).toEqual(await t.client.topics({ documents }));
  await t.client.topics({ documents, topicCount: 1 });
  expect(asked).toBe(2);
});

/** What a request with these fields is answered with, as `400 code message`. */
const postClip = async (...fields: [string, string][]) => {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  form.append('file', toFile('x'));
  const response = await fetch(`${t.url}/api/v1/transcribe`, { method: 'POST', body: form });
  const { error } = (await response.json()) as { error?: { code: string; message: string } };
  return `${response.status} ${error?.code} ${error?.message}`;
};

test('a clip with candidates: they reach the worker as they were given, without those that sound alike', async () => {
  let seen: unknown;
  const candidates = [
    { text: ' Two', probability: 0.75 },
    { text: 'é', probability: 0.25 },
  ];
  answer = async (data) => {
    seen = data;
    return { ...clipAnswer, candidates, candidatesConfidence: 0.9 };
  };
  const given = ['é', ' Two', 'Two', 'e\u0301'];
  const { candidates: ranked } = await t.client.transcribe(toFile('x'), { candidates: given });
  expect(ranked).toEqual(candidates);
  expect(seen).toMatchObject({ candidates: ['é', ' Two'], language: null });
});

test('as many and as long candidates as are allowed: are taken, however they are escaped', async () => {
  let count = 0;
  answer = async (data) => {
    count = data.kind === 'transcribe' ? (data.candidates?.length ?? 0) : 0;
    return clipAnswer;
  };
  const text = Array.from({ length: 200 }, (_, i) => String(i).padStart(3, '0') + '\u{1d49c}'.repeat(97));
  const escaped = JSON.stringify(text).replaceAll('\u{1d49c}', '\\ud835\\udc9c');
  expect(await postClip(['candidates', escaped])).toBe('200 undefined undefined');
  expect(count).toBe(200);
});

test.each([
  ['no JSON', 'one, two', 'candidates: must be a JSON array of texts, such as ["yes", "no"]'],
  ['nothing', '', 'candidates: must be a JSON array of texts, such as ["yes", "no"]'],
  ['no list', '{"a":1}', 'candidates: must be a list'],
  ['an empty list', '[]', 'candidates: must not be empty'],
  ['a number', '["one", 2]', 'candidates.1: must be a text'],
  ['an empty text', '["one", " "]', 'candidates.1: must not be empty'],
  ['a sign alone', '["!"]', 'candidates.0: must have a letter or a digit'],
  ['a control character', '["a\\u0000b"]', 'candidates.0: must not have control characters'],
  ['a long text', JSON.stringify(['x'.repeat(101)]), 'candidates.0: must have at most 100 characters'],
  ['too many', JSON.stringify(Array(201).fill('x')), 'candidates: must have at most 200 entries'],
])('candidates that are %s: refused, nothing is queued or left', async (_, value, message) => {
  expect(await postClip(['candidates', value])).toBe(`400 invalid_request ${message}`);
  expect(await t.blobs.list('clips/')).toEqual([]);
});

test('candidates that are given twice: refused', async () => {
  const fields: [string, string][] = [
    ['candidates', '["a"]'],
    ['candidates', '["b"]'],
  ];
  expect(await postClip(...fields)).toBe('400 invalid_request candidates: is given twice');
});

test('texts: topics, chapters and summarize reach the worker as they were sent and come back as it answers', async () => {
  const answers = {
    topics: { topics: [{ id: 0, label: 'a', terms: [{ term: 'a', weight: 1 }], size: 2 }], assignments: [0, null] },
    chapters: { boundaries: [0], chapters: [{ title: 'All', firstSentence: 0, lastSentence: 1 }] },
    summarize: {
      summary: 'One. Two.',
      sentences: [
        { text: 'One.', index: 0 },
        { text: 'Two.', index: 3 },
      ],
    },
  };
  const requests: unknown[] = [];
  answer = async (data) => {
    requests.push(data);
    return data.kind in answers ? answers[data.kind as keyof typeof answers] : null;
  };
  const topics = { documents: ['a', { id: 'x', text: 'b' }], topicCount: 1 };
  expect(await t.client.topics(topics)).toEqual(answers.topics);
  expect(await t.client.chapters({ sentences: ['a', 'b'] })).toEqual(answers.chapters);
  expect(await t.client.summarize({ text: 'One. Two.', maxSentences: 2 })).toEqual(answers.summarize);
  expect(requests).toEqual([
    { kind: 'topics', request: topics },
    { kind: 'chapters', request: { sentences: ['a', 'b'] } },
    { kind: 'summarize', request: { text: 'One. Two.', maxSentences: 2 } },
  ]);
});

test('summarize/stream: pieces that are the summary when put together, then done, byte for byte', async () => {
  answer = async () => ({
    summary: 'One. Two.',
    sentences: [
      { text: 'One.', index: 0 },
      { text: 'Two.', index: 3 },
    ],
  });
  const response = await fetch(`${t.url}/api/v1/summarize/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ text: 'One. Two.' }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(await response.text()).toBe(
    'data: {"content":"One.","done":false}\n\ndata: {"content":" Two.","done":false}\n\ndata: {"content":"","done":true}\n\n',
  );
});

test('summarize/stream whose work fails: an ordinary error with its status', async () => {
  answer = async () => {
    throw new AppError('model_missing', 'no weights');
  };
  const response = await fetch(`${t.url}/api/v1/summarize/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"text":"x"}',
  });
  expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
    503,
    'model_missing',
  ]);
});

const speechReport = {
  family: 'speech',
  state: 'ready',
  since: '2026-01-02T03:04:05.678Z',
  lastLoadSeconds: 0.5,
  memoryBytes: 1_000,
  openWork: 2,
  failureCode: null,
} as const;
const nobody = {
  state: 'unloaded',
  since: null,
  lastLoadSeconds: null,
  memoryBytes: null,
  openWork: 0,
  failureCode: null,
  workers: 0,
  readyWorkers: 0,
} as const;

test('models/status: every family, also before any worker has said anything', async () => {
  expect(await t.client.modelStatus()).toEqual([
    { family: 'speech', ...nobody, expectedLoadSeconds: 2 },
    { family: 'text', ...nobody, expectedLoadSeconds: 1.5 },
  ]);
});

describe('warmup', () => {
  const fleet = () => createModelFleet({ redis: t.redis, keys: t.keys });
  let asked: QuickJobData[];
  beforeEach(() => {
    asked = [];
    answer = async (data) => {
      asked.push(data);
      return null;
    };
  });
  /** Each queue is worked through in order: what was asked before has been taken when these are answered. */
  let sent = 0;
  const untilTaken = async () => {
    const take = answer;
    answer = async (data) => {
      if (data.kind === 'summarize') return { summary: '', sentences: [] };
      return data.kind === 'transcribe' ? clipAnswer : take(data);
    };
    await t.client.summarize({ text: `x ${++sent}` });
    await t.client.transcribe(toFile(`x ${sent}`));
  };

  test('of nothing in particular: 202 with every state, and a worker is asked once for each family', async () => {
    await Promise.all(workers.map((worker) => worker.pause()));
    expect((await t.client.warmup()).map(({ family, state }) => [family, state])).toEqual([
      ['speech', 'unloaded'],
      ['text', 'unloaded'],
    ]);
    await t.client.warmup();
    for (const worker of workers) worker.resume();
    await untilTaken();
    // In no order: each in the queue of its family.
    expect(asked).toHaveLength(2);
    expect(asked).toEqual(
      expect.arrayContaining([
        { kind: 'warmup', family: 'speech' },
        { kind: 'warmup', family: 'text' },
      ]),
    );
  });

  test('of one family: that one alone, and again later when it is still cold', async () => {
    await t.client.warmup(['text']);
    await untilTaken();
    expect((await t.client.warmup(['text'])).map(({ family }) => family)).toEqual(['text']);
    await untilTaken();
    expect(asked).toEqual([
      { kind: 'warmup', family: 'text' },
      { kind: 'warmup', family: 'text' },
    ]);
  });

  test('of a family that a worker has ready: its state, and nobody is asked', async () => {
    await fleet().report('w1', [speechReport]);
    try {
      const [status] = await t.client.warmup(['speech']);
      expect(status).toEqual({ ...speechReport, expectedLoadSeconds: 2, workers: 1, readyWorkers: 1 });
      expect(await t.client.modelStatus()).toContainEqual(status);
      await untilTaken();
      expect(asked).toEqual([]);
    } finally {
      await fleet().withdraw('w1');
    }
  });

  test.each([
    ['a family that does not exist', '{"families":["image"]}', '400 invalid_request'],
    ['no family', '{"families":[]}', '400 invalid_request'],
    ['no JSON', 'speech', '400 invalid_json'],
    ['a long body', `{"families":["speech"],"x":"${'x'.repeat(5_000)}"}`, '413 body_too_large'],
  ])('of %s is refused', async (_, body, expected) => {
    expect(await post('/api/v1/warmup', body)).toBe(expected);
    await untilTaken();
    expect(asked).toEqual([]);
  });
});

const post = async (
  path: string,
  body: string | Buffer,
  type = 'application/json',
  headers: Record<string, string> = {},
) => {
  const response = await fetch(`${t.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body,
  });
  return `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;
};

test.each([
  ['no JSON', '{"text":', 'application/json', '400 invalid_json'],
  ['nothing at all', '', 'application/json', '400 invalid_json'],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'application/json', '400 invalid_json'],
  ['another type', '{"text":"x"}', 'text/plain', '415 unsupported_content_type'],
  ['another character set', '{"text":"x"}', 'application/json; charset=utf-16', '415 unsupported_content_type'],
  ['another form', '{"text":5}', 'application/json', '400 invalid_request'],
  ['an empty text', '{"text":"  "}', 'application/json', '400 invalid_request'],
  ['a number out of bounds', '{"text":"x","maxSentences":0}', 'application/json', '400 invalid_request'],
  ['a body that is too large', `{"text":"${'x'.repeat(8 * 1024 * 1024)}"}`, 'application/json', '413 body_too_large'],
] as const)('a text request with %s: %#', async (_, body, type, expected) => {
  expect(await post('/api/v1/summarize', body, type)).toBe(expected);
});

test('a text request that is compressed: refused, so that nothing can swell', async () => {
  expect(await post('/api/v1/summarize', '{"text":"x"}', 'application/json', { 'content-encoding': 'gzip' })).toBe(
    '415 unsupported_content_type',
  );
});
