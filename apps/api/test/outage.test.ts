import { type OwnRedis, spawnRedis } from '@studymate/queue/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { finishLecture, makeLecture, makeSegment } from './support/made-lecture.ts';
import { listen } from './support/sse.ts';
import { startTestApi, type TestApi, toFile, until } from './support/test-api.ts';

let redis: OwnRedis;
let t: TestApi;
beforeEach(async () => {
  redis = await spawnRedis();
});
afterEach(async () => {
  await t?.close();
  await redis?.stop();
});

const text = { language: 'en', text: 'Kept.', segments: [makeSegment(0, 'Kept.')] };
const study = { chapters: [], topics: [], summary: { statements: [], keyTerms: [] }, flashcards: [] };

async function codeOf(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(`${t.url}${path}`, init);
  const body = (await response.json()) as { error?: { code: string } };
  return `${response.status} ${body.error?.code ?? 'no error'} ${response.headers.get('retry-after') ?? 'at once'}`;
}
const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const statusOf = async (path: string) => (await fetch(`${t.url}${path}`)).status;

test('started without Redis: alive, not ready, says what is missing, and works when Redis comes without a restart', async () => {
  await redis.kill();
  t = await startTestApi({ redisUrl: redis.url });
  expect(await statusOf('/health/fast')).toBe(200);
  expect(await statusOf('/health/live')).toBe(200);
  const ready = await fetch(`${t.url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    status: 'not_ready',
    parts: { redis: { ready: false }, storage: { ready: true } },
  });
  const unavailable = '503 queue_unavailable 2';
  expect(await codeOf('/api/v1/models/status')).toBe(unavailable);
  expect(await codeOf('/api/v1/topics', json({ documents: ['a text'] }))).toBe(unavailable);
  const { id } = await makeLecture(t);
  expect(await codeOf(`/api/v1/lectures/${id}/events`)).toBe(unavailable);
  const form = new FormData();
  form.append('file', toFile('x'));
  expect(await codeOf('/api/v1/transcribe', { method: 'POST', body: form })).toBe(unavailable);
  expect(await t.blobs.list('clips/')).toEqual([]);

  await redis.start();
  await until(async () => (await statusOf('/health/ready')) === 200, 'readiness');
  expect(await statusOf('/api/v1/models/status')).toBe(200);
  const { id: later } = await t.client.uploadLecture(toFile('after the outage'));
  expect(await t.queues.findStageJob({ lectureId: later, stage: 'ingest', part: 0, attempt: 1 })).toBeDefined();
});

test('an upload while Redis is away: kept and acknowledged, and queued as soon as Redis is back', async () => {
  t = await startTestApi({ redisUrl: redis.url });
  await redis.kill();
  const lecture = await t.client.uploadLecture(toFile('not to be lost'));
  expect(lecture.status).toBe('queued');
  const record = await t.lectures.read(lecture.id);
  expect(Buffer.from((await t.blobs.read(record?.media.key ?? '')) ?? []).toString()).toBe('not to be lost');
  expect(t.log.some((line) => line.level === 'error' && line.lectureId === lecture.id)).toBe(true);

  await redis.start();
  const spec = { lectureId: lecture.id, stage: 'ingest', part: 0, attempt: 1 } as const;
  await until(async () => t.queues.findStageJob(spec), 'the job');
  // Where the reconciler looks, should a worker die with it.
  expect(await t.redis.zscore(t.keys.active, lecture.id)).not.toBeNull();
});

test('reading while Redis is away: lectures, parts, media and the story of a finished lecture still come', async () => {
  t = await startTestApi({ redisUrl: redis.url });
  const { id } = await makeLecture(t);
  await finishLecture(t, id, { assemble: text, ...study });
  const open = await makeLecture(t);
  await redis.kill();
  expect((await t.client.getLecture(id)).status).toBe('ready');
  expect((await t.client.getLecture(open.id)).status).toBe('queued');
  expect((await t.client.listLectures()).lectures).toHaveLength(2);
  expect(await t.client.getTranscript(id)).toEqual({ ...text, version: 0 });
  expect(await statusOf(`/api/v1/lectures/${id}/media`)).toBe(200);
  const listener = await listen(`${t.url}/api/v1/lectures/${id}/events`);
  await listener.ended;
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'segments', 'end']);
});

test('deleting, cancelling, correcting and retrying while Redis is away: the store is changed, a retry is refused before', async () => {
  t = await startTestApi({ redisUrl: redis.url });
  const [deleted, cancelled, done] = await Promise.all([makeLecture(t), makeLecture(t), makeLecture(t)]);
  await finishLecture(t, done.id, { assemble: text, ...study });
  const find = async (q: string) => (await t.client.search({ q, mode: 'keyword' })).results.map((found) => found.text);
  expect(await find('kept')).toEqual(['Kept.']);
  await redis.kill();
  await t.client.deleteLecture(deleted.id);
  expect(await t.lectures.read(deleted.id)).toBeNull();
  expect((await t.client.cancelLecture(cancelled.id)).status).toBe('cancelled');
  const edited = await t.client.editTranscript(done.id, [{ id: 0, text: 'Corrected.' }]);
  expect(edited).toMatchObject({ version: 1, segments: [{ text: 'Corrected.' }] });
  expect((await t.client.getTranscript(done.id)).segments[0]?.text).toBe('Corrected.');
  expect(await find('corrected')).toEqual(['Corrected.']);
  await expect(t.client.retryStage(done.id, 'summary')).rejects.toMatchObject({ code: 'queue_unavailable' });
  expect((await t.lectures.read(done.id))?.attempts).toEqual({});
});

test('Redis goes away and comes back while somebody follows: the same stream goes on', async () => {
  t = await startTestApi({ redisUrl: redis.url });
  const { id } = await makeLecture(t);
  const listener = await listen(`${t.url}/api/v1/lectures/${id}/events`);
  await listener.next((event) => event.name === 'snapshot');
  await redis.kill();
  await redis.start();
  await until(async () => (await statusOf('/health/ready')) === 200, 'readiness');
  await t.publisher.publish(id, { type: 'lecture', changes: { durationSeconds: 7 } });
  await listener.next((event) => event.name === 'lecture');
  await t.publisher.publish(id, { type: 'end', status: 'ready' });
  await listener.ended;
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'lecture', 'end']);
});
