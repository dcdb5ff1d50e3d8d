import { type Collector, type ReceivedSpan, startCollector } from '@studymate/observability/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { excerpt } from './support/recordings.ts';
import { type RunningSystem, startSystem } from './support/running-system.ts';

let collector: Collector;
let system: RunningSystem;
beforeAll(async () => {
  collector = await startCollector();
  system = await startSystem({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
});
afterAll(async () => {
  await system?.close();
  await collector?.close();
});

const newTraceId = (digit: string) => digit.repeat(32);
const callerSpanId = 'b7ad6b7169203331';

/** As a caller that is traced itself sends it. */
async function post(route: string, traceId: string, body: FormData | string): Promise<Response> {
  const traceparent = `00-${traceId}-${callerSpanId}-01`;
  const headers = typeof body === 'string' ? { traceparent, 'content-type': 'application/json' } : { traceparent };
  return fetch(`${system.baseUrl}${route}`, { method: 'POST', headers, body });
}

const inTrace = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
const named = (name: string, traceId: string) => inTrace(traceId).filter((span) => span.name === name);
/** Names on the way from a span to the beginning of its trace. */
function path(span: ReceivedSpan | undefined): string[] {
  if (!span) return [];
  return [span.name, ...path(inTrace(span.traceId).find(({ spanId }) => spanId === span.parentSpanId))];
}

/** Jobs' spans end, and are sent, a moment after what the jobs have written can be read. */
async function arrived(traceId: string, names: readonly string[]): Promise<void> {
  await collector.until((spans) =>
    names.every((name) => spans.some((span) => span.traceId === traceId && span.name === name)),
  );
}

test('a lecture: one trace from the request on, through queue, jobs, models and algorithms, without a word of it', async () => {
  const traceId = newTraceId('1');
  const form = new FormData();
  form.append('title', 'xylographica');
  form.append('file', await excerpt('zymurgy.mp3', 10, 15));
  const response = await post('/api/v1/lectures', traceId, form);
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  for await (const _ of system.client.followLecture(id));
  expect((await system.client.getLecture(id)).status).toBe('ready');
  const stages = ['chapters', 'topics', 'summary', 'flashcards'];
  await arrived(traceId, ['POST /api/v1/lectures', 'job ingest', 'job transcribe', 'job assemble']);
  await arrived(traceId, [...stages.map((stage) => `job ${stage}`), 'inference embed']);

  const request = named('POST /api/v1/lectures', traceId)[0];
  expect(request).toMatchObject({ service: 'studymate-api', parentSpanId: callerSpanId, isFailed: false });
  expect(request?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/api/v1/lectures',
    'http.response.status_code': 202,
  });

  const spans = inTrace(traceId);
  const known = new Set(spans.map(({ spanId }) => spanId));
  expect(spans.filter((span) => !known.has(span.parentSpanId))).toEqual([request]);
  expect(spans.filter(({ isFailed }) => isFailed)).toEqual([]);
  expect(new Set(spans.map(({ service }) => service))).toEqual(
    new Set(['studymate-api', 'studymate-worker', 'studymate-model']),
  );
  const upload = 'POST /api/v1/lectures';
  const ways = new Set(spans.map((span) => path(span).join(' < ')));
  expect([...ways]).toEqual(
    expect.arrayContaining([
      upload,
      `queue ingest < ${upload}`,
      `job ingest < ${upload}`,
      `probe < job ingest < ${upload}`,
      `decode < job ingest < ${upload}`,
      `load weights < model load < job ingest < ${upload}`,
      `inference vad < model vad < job ingest < ${upload}`,
      `queue transcribe < job ingest < ${upload}`,
      `inference transcribe-windows < model transcribe-windows < job transcribe < job ingest < ${upload}`,
    ]),
  );
  for (const stage of stages) {
    const [job] = named(`job ${stage}`, traceId);
    expect(path(job)[1], stage).toBe('job assemble');
    expect(job?.attributes).toMatchObject({ 'messaging.destination.name': 'study', 'lecture.id': id, 'job.tries': 1 });
    expect(path(named(`study ${stage}`, traceId)[0])[1], stage).toBe(`job ${stage}`);
  }
  for (const span of spans) {
    const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
    expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
    // Model processes have clocks of their own, to the millisecond.
    if (above && !path(span)[0]?.startsWith('queue')) expect(span.startMs + 2).toBeGreaterThanOrEqual(above.startMs);
  }

  const { text } = await system.client.getTranscript(id);
  const longWords = new Set(text.toLowerCase().match(/[a-z]{8,}/g));
  expect(longWords.size).toBeGreaterThan(3);
  const values = JSON.stringify(spans.map(({ attributes }) => attributes)).toLowerCase();
  for (const word of [...longWords, 'xylographica', 'zymurgy', 'local']) expect(values).not.toContain(word);

  const lines = (await system.readLogs()).split('\n').filter((line) => line.includes(traceId));
  expect(lines.some((line) => JSON.parse(line).route === '/api/v1/lectures')).toBe(true);
});

test('what fails: the job says with which code, the refused request too, and neither says anything else', async () => {
  const traceId = newTraceId('2');
  const form = new FormData();
  form.append('file', new File(['kwyjibo'.repeat(200)], 'notes.mp3'));
  const { id } = (await (await post('/api/v1/lectures', traceId, form)).json()) as { id: string };
  for await (const _ of system.client.followLecture(id));
  const code = (await system.client.getLecture(id)).stages[0]?.error?.code;
  expect(code).toMatch(/media/);
  await arrived(traceId, ['job ingest']);
  expect(named('job ingest', traceId)).toMatchObject([{ isFailed: true, attributes: { 'error.type': code } }]);
  expect(await system.readWorkerLogs()).toContain(`"traceId":"${traceId}"`);

  const refused = newTraceId('3');
  expect((await post('/api/v1/topics', refused, '{"documents": "kwyjibo"}')).status).toBe(400);
  await arrived(refused, ['POST /api/v1/topics']);
  expect(named('POST /api/v1/topics', refused)).toMatchObject([
    { isFailed: false, attributes: { 'http.response.status_code': 400, 'error.type': 'invalid_request' } },
  ]);
  expect(JSON.stringify(collector.spans)).not.toContain('kwyjibo');
});

test('a clip: its job is below its request; probes of health are not traced', async () => {
  const traceId = newTraceId('4');
  const form = new FormData();
  form.append('file', await excerpt('clip.wav', 19, 4, ['-ac', '1', '-ar', '16000']));
  expect((await post('/api/v1/transcribe', traceId, form)).status).toBe(200);
  await fetch(`${system.baseUrl}/health/live`);
  await arrived(traceId, ['POST /api/v1/transcribe', 'job transcribe']);
  const ways = inTrace(traceId).map((span) => path(span).join(' < '));
  expect(ways).toEqual(
    expect.arrayContaining([
      'queue clips < POST /api/v1/transcribe',
      'decode < job transcribe < POST /api/v1/transcribe',
      'inference transcribe-windows < model transcribe-windows < job transcribe < POST /api/v1/transcribe',
    ]),
  );
  expect(collector.spans.filter(({ name }) => name.includes('health'))).toEqual([]);
});

test('the collector goes away: work goes on, both programs say so once, and they end in good order', async () => {
  await collector.close();
  const clip = await excerpt('later.wav', 40, 3, ['-ac', '1', '-ar', '16000']);
  expect((await system.client.transcribe(clip)).text).not.toBe('');
  await expect.poll(async () => (await system.readLogs()).match(/traces cannot be sent/g)?.length).toBe(2);
  for (const child of [system.api(), system.worker()]) {
    child.signal('SIGTERM');
    expect(await child.exited).toBe('exit status 0');
  }
});
