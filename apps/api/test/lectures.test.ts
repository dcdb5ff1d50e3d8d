import { createId } from '@studymate/contracts/ids';
import { queueNames } from '@studymate/queue/job-catalogue';
import { testRedisUrl } from '@studymate/queue/testing';
import { recordKey } from '@studymate/storage/lecture-keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cutChunk, finishLecture, makeLecture, makeSegment, writeChunk } from './support/made-lecture.ts';
import { startTestApi, type TestApi, toFile } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

const failure = { code: 'model_crashed', message: 'the model ended', attempt: 1, failedAt: '2026-01-01T00:00:00.000Z' };
const study = {
  assemble: { language: 'en', text: 'Hello there.', segments: [makeSegment(0, 'Hello there.')] },
  chapters: [],
  topics: [],
  summary: { statements: [], keyTerms: [] },
  flashcards: [],
};

async function codeOf(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(`${t.url}${path}`, init);
  const body = (await response.json()) as { error?: { code: string } };
  return `${response.status} ${body.error?.code ?? 'no error'}`;
}

test('list with a limit: newest first, the cursor goes through all without gap or repeat', async () => {
  const courseId = createId();
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.push((await makeLecture(t, { courseId, id: createId(Date.now() + i) })).id);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await t.client.listLectures({ limit: 2, courseId, ...(cursor && { cursor }) });
    expect(page.lectures.length).toBeLessThanOrEqual(2);
    seen.push(...page.lectures.map((lecture) => lecture.id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(seen).toEqual(made.reverse());
});

test('list of a course: only its lectures; of all: also the others', async () => {
  const courseId = createId();
  const inside = await makeLecture(t, { courseId });
  const outside = await makeLecture(t);
  const ofCourse = await t.client.listLectures({ courseId });
  expect(ofCourse.lectures.map((lecture) => lecture.id)).toEqual([inside.id]);
  const all = await t.client.listLectures({ limit: 100 });
  expect(all.lectures.map((lecture) => lecture.id)).toEqual(expect.arrayContaining([inside.id, outside.id]));
});

test('a lecture whose record is damaged: left out of the list, said once; its owner alone is told, and can delete it', async () => {
  const older = await makeLecture(t, { id: createId(Date.now() + 60_001) });
  const damaged = [
    await makeLecture(t, { id: createId(Date.now() + 60_002) }),
    await makeLecture(t, { id: createId(Date.now() + 60_003), owner: 'somebody' }),
  ];
  for (const { id, version } of damaged) await t.blobs.put(recordKey(id, version + 1), Buffer.from('{'));
  const [own, foreign] = damaged.map(({ id }) => id);
  for (let time = 0; time < 2; time++) {
    const page = await t.client.listLectures({ limit: 1 });
    expect(page.lectures.map((lecture) => lecture.id)).toEqual([older.id]);
  }
  expect(t.log.filter((line) => line.lectureId === own).map((line) => line.level)).toHaveLength(1);
  for (const part of ['', '/events', '/transcript', '/media']) {
    expect(await codeOf(`/api/v1/lectures/${own}${part}`)).toBe('500 internal');
    expect(await codeOf(`/api/v1/lectures/${foreign}${part}`)).toBe('404 not_found');
  }
  expect(await codeOf(`/api/v1/lectures/${foreign}`, { method: 'DELETE' })).toBe('404 not_found');
  expect(await t.blobs.stat(recordKey(`${foreign}`, 1))).not.toBeNull();
  const deleted = await fetch(`${t.url}/api/v1/lectures/${own}`, { method: 'DELETE' });
  expect(deleted.status).toBe(204);
  expect(await t.lectures.read(`${own}`)).toBeNull();
  expect((await t.listFiles()).filter((name) => name.includes(`${own}`))).toHaveLength(1);
});

test.each(['limit=0', 'limit=101', 'limit=x', 'cursor=..%2f', 'courseId=1'])(
  'list with %s: invalid_request that names the field',
  async (query) => {
    const response = await fetch(`${t.url}/api/v1/lectures?${query}`);
    const { error } = (await response.json()) as { error: { code: string; details: { path: string }[] } };
    expect([response.status, error.code]).toEqual([400, 'invalid_request']);
    expect(error.details[0]?.path).toBe(query.split('=')[0]);
  },
);

test('a lecture of somebody else, an unknown id, no id at all: 404 on every route', async () => {
  const foreign = await makeLecture(t, { owner: 'somebody' });
  const parts = ['', '/events', '/transcript', '/chapters', '/topics', '/summary', '/flashcards', '/media'];
  for (const id of [foreign.id, createId(), 'x', '..%2f..%2fetc', '%00', 'a'.repeat(3_000)]) {
    for (const part of parts) expect(await codeOf(`/api/v1/lectures/${id}${part}`)).toBe('404 not_found');
    expect(await codeOf(`/api/v1/lectures/${id}`, { method: 'DELETE' })).toBe('404 not_found');
    expect(await codeOf(`/api/v1/lectures/${id}/cancel`, { method: 'POST' })).toBe('404 not_found');
    expect(await codeOf(`/api/v1/lectures/${id}/stages/summary/retry`, { method: 'POST' })).toBe('404 not_found');
  }
  expect(await t.lectures.read(foreign.id)).not.toBeNull();
});

test('a lecture in progress: shows the live state, the language given and the place in the queue', async () => {
  const { id } = await t.client.uploadLecture(toFile('x'), { language: 'fr' });
  await cutChunk(t, id, 0);
  const lecture = await t.client.getLecture(id);
  expect(lecture).toMatchObject({ language: 'fr', status: 'queued' });
  expect(lecture.stages.map((stage) => stage.status)).toEqual([
    'queued',
    'queued',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
    'waiting',
  ]);
  expect(lecture.queue.position).toBeGreaterThan(0);
});

test('delete: 204, workers are told, nothing of it is left in the store or in Redis', async () => {
  const listener = t.redis.duplicate();
  const told = new Promise((resolve) => listener.on('message', (_channel, lectureId) => resolve(lectureId)));
  await listener.subscribe(t.keys.cancel);
  const { id } = await t.client.uploadLecture(toFile('to be deleted'));
  const { media } = (await t.lectures.read(id)) ?? {};
  await writeChunk(t, id, 0, ['some text']);
  await t.publisher.publish(id, { type: 'lecture', changes: { durationSeconds: 5 } });
  const response = await fetch(`${t.url}/api/v1/lectures/${id}`, { method: 'DELETE' });
  expect(response.status).toBe(204);
  expect(await told).toBe(id);
  expect(await codeOf(`/api/v1/lectures/${id}`)).toBe('404 not_found');
  expect(await t.blobs.stat(media?.key ?? '')).toBeNull();
  const left = (await t.blobs.list(`lectures/${id}/`)).filter((key) => !key.includes('/records/'));
  expect(left).toEqual([]);
  expect(await t.redis.exists(t.keys.live(id), t.keys.events(id))).toBe(0);
  expect(await t.redis.zscore(t.keys.active, id)).toBeNull();
  expect(await t.redis.hexists(t.keys.work, id)).toBe(0);
  expect(await t.queues.findStageJob({ lectureId: id, stage: 'ingest', part: 0, attempt: 1 })).toBeUndefined();
  listener.disconnect();
});

test('cancel of a queued lecture: the record says so for good, and its jobs leave the queue', async () => {
  const { id } = await t.client.uploadLecture(toFile('x'));
  const cancelled = await t.client.cancelLecture(id);
  expect(cancelled).toMatchObject({ status: 'cancelled', queue: { position: null, etaSeconds: null } });
  expect(await t.queues.findStageJob({ lectureId: id, stage: 'ingest', part: 0, attempt: 1 })).toBeUndefined();
  expect(await t.redis.hexists(t.keys.work, id)).toBe(0);
  expect((await t.lectures.read(id))?.cancelledAt).toBeTruthy();
  const { version } = await t.client.cancelLecture(id);
  expect(version).toBe(cancelled.version);
  expect(await codeOf(`/api/v1/lectures/${id}/summary`)).toBe('409 lecture_cancelled');
});

test('retry of a cancelled lecture: it is queued again, under a new attempt', async () => {
  const { id } = await t.client.uploadLecture(toFile('cancelled by mistake'));
  await t.client.cancelLecture(id);
  expect(await t.client.retryStage(id, 'ingest')).toMatchObject({ status: 'queued' });
  const job = await t.queues.findStageJob({ lectureId: id, stage: 'ingest', part: 0, attempt: 2 });
  expect(await job?.getState()).toBe('prioritized');
});

test('cancel of a lecture that is ready: it stays ready', async () => {
  const { id } = await makeLecture(t);
  await finishLecture(t, id, study);
  expect((await t.client.cancelLecture(id)).status).toBe('ready');
  expect((await t.lectures.read(id))?.cancelledAt).toBeNull();
});

test('retry of a failed stage: a new attempt is queued under its own id, the rest stays', async () => {
  const { id } = await makeLecture(t);
  const { summary: _, ...others } = study;
  await finishLecture(t, id, others);
  await t.lectures.update(id, (record) => ({ ...record, failures: { summary: failure } }));
  expect((await t.client.getLecture(id)).status).toBe('partial');
  expect(await codeOf(`/api/v1/lectures/${id}/summary`)).toBe('409 stage_failed');
  const retried = await t.client.retryStage(id, 'summary');
  expect(retried.status).toBe('running');
  expect(retried.stages.find((stage) => stage.name === 'summary')?.status).toBe('queued');
  expect(await t.queues.findStageJob({ lectureId: id, stage: 'summary', part: 0, attempt: 2 })).toBeDefined();
  expect(await t.queues.findStageJob({ lectureId: id, stage: 'topics', part: 0, attempt: 2 })).toBeUndefined();
  expect(await codeOf(`/api/v1/lectures/${id}/summary`)).toBe('409 not_ready');
});

test('retry of a lecture in progress, or of a stage with another name: refused', async () => {
  const { id } = await t.client.uploadLecture(toFile('x'));
  expect(await codeOf(`/api/v1/lectures/${id}/stages/ingest/retry`, { method: 'POST' })).toBe('409 not_ready');
  expect(await codeOf(`/api/v1/lectures/${id}/stages/dance/retry`, { method: 'POST' })).toBe('404 not_found');
});

test('every queue is there for the metrics and the dashboard', () => {
  expect([...t.queues.all().keys()]).toEqual([...queueNames]);
});

test('change: the title and the course, told to followers; the version goes up', async () => {
  const { id, version } = await makeLecture(t);
  const { id: courseId } = await t.client.createCourse('Printing');
  const changed = await t.client.changeLecture(id, { title: ' Of\nprinting ', courseId });
  expect(changed).toMatchObject({ title: 'Of printing', courseId, version: version + 1 });
  expect(await t.client.changeLecture(id, { courseId: null })).toMatchObject({ title: 'Of printing', courseId: null });
  // The progress of the work has no version, so that the answer is never "not modified".
  const etag = `"${version + 2}"`;
  const response = await fetch(`${t.url}/api/v1/lectures/${id}`, { headers: { 'if-none-match': etag } });
  expect([response.status, response.headers.get('etag')]).toEqual([200, etag]);
  await response.body?.cancel();
});

test('change of a version that is no longer the newest: 412, and nothing is changed', async () => {
  const { id, version } = await makeLecture(t);
  await t.client.changeLecture(id, { title: 'First' }, { version });
  await expect(t.client.changeLecture(id, { title: 'Second' }, { version })).rejects.toMatchObject({
    code: 'version_mismatch',
    status: 412,
  });
  expect(await t.client.getLecture(id)).toMatchObject({ title: 'First', version: version + 1 });
  await t.client.changeLecture(id, { title: 'Second' }, { version: version + 1 });
});

test('twenty changes at once of one version: one is made, the others are told', async () => {
  const { id, version } = await makeLecture(t);
  const changes = Array.from({ length: 20 }, (_, i) => t.client.changeLecture(id, { title: `T${i}` }, { version }));
  const outcomes = await Promise.allSettled(changes);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await t.client.getLecture(id)).toMatchObject({ version: version + 1 });
});

test.each([
  ['nothing', {}],
  ['an empty title', { title: ' ' }],
  ['another field', { status: 'ready' }],
  ['a course that is no id', { courseId: '..' }],
] as [string, object][])('change of %s: invalid_request', async (_, changes) => {
  const { id, version } = await makeLecture(t);
  await expect(t.client.changeLecture(id, changes)).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await t.client.getLecture(id)).toMatchObject({ version });
});
