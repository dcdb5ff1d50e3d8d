import type { LectureEvent } from '@studymate/contracts/events';
import { testRedisUrl } from '@studymate/queue/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishLecture, makeLecture, makeSegment, writeChunk } from './support/made-lecture.ts';
import { listen, toText } from './support/sse.ts';
import { startTestApi, type TestApi, until } from './support/test-api.ts';

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl() });
});
afterAll(async () => {
  await t?.close();
});

const eventsUrl = (id: string) => `${t.url}/api/v1/lectures/${id}/events`;
const study = { chapters: [], topics: [], summary: { statements: [], keyTerms: [] }, flashcards: [] };

/** A chunk as a worker finishes it: the text first, then the word of it. */
async function finishChunk(id: string, chunk: number, texts: string[], attempt = 1): Promise<void> {
  await writeChunk(t, id, chunk, texts, attempt);
  await t.publisher.publishChunk(id, attempt, chunk, texts.length);
}

const mark = (id: string, durationSeconds: number) =>
  t.publisher.publish(id, { type: 'lecture', changes: { durationSeconds } });

test('a new lecture: headers for proxies, a snapshot first, then each change in order, the end closes it', async () => {
  const { id } = await makeLecture(t);
  const listener = await listen(eventsUrl(id));
  // A compressor for each of a thousand readers would take hundreds of megabytes.
  expect(listener.response.headers.has('content-encoding')).toBe(false);
  expect(Object.fromEntries(listener.response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
    'cache-control': 'no-store',
  });
  const snapshot = await listener.next((event) => event.name === 'snapshot');
  expect(snapshot.data.lecture).toMatchObject({ id, status: 'queued' });
  await mark(id, 1);
  await finishChunk(id, 0, ['one', 'two']);
  await mark(id, 2);
  await t.publisher.publish(id, { type: 'end', status: 'ready' });
  await listener.ended;
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'lecture', 'segments', 'lecture', 'end']);
  expect(listener.seen[2]?.data).toMatchObject({
    from: 0,
    segments: [
      { id: 0, text: 'one' },
      { id: 1, text: 'two' },
    ],
  });
  expect(listener.seen.slice(1).every((event) => /^\d+-\d+$/.test(event.id ?? ''))).toBe(true);
  expect(t.api.listenerCount()).toBe(0);
});

test('text that is already there: one segments event from 0 right after the snapshot, numbered through', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['a', 'b']);
  await finishChunk(id, 1, ['c']);
  const listener = await listen(eventsUrl(id));
  const segments = await listener.next((event) => event.name === 'segments');
  expect(segments.data.from).toBe(0);
  expect(segments.data.segments.map((s: { id: number; text: string }) => `${s.id}${s.text}`)).toEqual([
    '0a',
    '1b',
    '2c',
  ]);
  await finishChunk(id, 2, ['d']);
  await listener.next((event) => event.data.from === 3);
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'segments', 'segments']);
  listener.leave();
});

test('chunks that are done out of order: their text comes in the order of the recording', async () => {
  const { id } = await makeLecture(t);
  const listener = await listen(eventsUrl(id));
  await listener.next((event) => event.name === 'snapshot');
  await finishChunk(id, 2, ['third']);
  await finishChunk(id, 1, ['second']);
  await finishChunk(id, 0, ['first']);
  await listener.next((event) => event.data.from === 2);
  expect(toText(listener.seen)).toEqual(['first', 'second', 'third']);
  listener.leave();
});

test('a chunk whose text is written but not yet announced: comes once, with its own event', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['announced']);
  await writeChunk(t, id, 1, ['only written']);
  const listener = await listen(eventsUrl(id));
  const first = await listener.next((event) => event.name === 'segments');
  expect(first.data.segments).toHaveLength(1);
  await t.publisher.publishChunk(id, 1, 1, 1);
  await listener.next((event) => event.data.from === 1);
  expect(listener.seen.filter((event) => event.name === 'segments')).toHaveLength(2);
  listener.leave();
});

test('a reader that comes back with its last id again and again: each event exactly once, in order', async () => {
  const { id } = await makeLecture(t);
  const count = 60;
  let rounds = 0;
  const publishing = (async () => {
    for (let i = 0; i < count; i++) {
      // However slow the reader is, it does not find everything in one go.
      if (i % 10 === 0) await until(async () => rounds >= i / 10, 'the reader to have come back');
      if (i % 2 === 0) await finishChunk(id, i / 2, [`text ${i}`, `more ${i}`]);
      else await mark(id, i);
    }
    await t.publisher.publish(id, { type: 'end', status: 'ready' });
  })();
  const seen = [];
  let lastId: string | undefined;
  let isOver = false;
  while (!isOver) {
    rounds++;
    const listener = await listen(eventsUrl(id), lastId);
    await listener.next((event) => event.name !== 'snapshot' && event.id !== null);
    // What had come when the connection broke, no more and no less.
    const got = listener.seen.slice();
    listener.leave();
    seen.push(...got);
    lastId = got.findLast((event) => event.id !== null)?.id ?? lastId;
    isOver = got.some((event) => event.name === 'end');
  }
  await publishing;
  expect(rounds).toBeGreaterThanOrEqual(5);
  const snapshots = seen.filter((event) => event.name === 'snapshot');
  expect(snapshots).toHaveLength(1);
  const ids = seen.flatMap((event) =>
    event.name === 'segments' ? event.data.segments.map((s: { id: number }) => s.id) : [],
  );
  expect(ids).toEqual(Array.from({ length: count }, (_, i) => i));
  const marks = seen.flatMap((event) => (event.name === 'lecture' ? [event.data.changes.durationSeconds] : []));
  expect(marks).toEqual(Array.from({ length: marks.length }, (_, i) => count - 1 - 2 * (marks.length - 1 - i)));
});

test('an id that is gone from the stream, or nonsense: a fresh snapshot with all text', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['kept']);
  for (const lastId of ['1-1', 'x', '9'.repeat(30)]) {
    const listener = await listen(eventsUrl(id), lastId);
    await listener.next((event) => event.name === 'segments');
    expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'segments']);
    listener.leave();
  }
});

test('a lecture that has ended: snapshot, text, end; whoever has seen the end is told not to come again', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['old words']);
  const text = { language: 'en', text: 'All of it.', segments: [makeSegment(0, 'All of it.')] };
  await finishLecture(t, id, { assemble: text, ...study });
  await t.publisher.publish(id, { type: 'end', status: 'ready' });
  const listener = await listen(eventsUrl(id));
  await listener.ended;
  expect(listener.response.headers.get('content-encoding')).toBe('gzip');
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot', 'segments', 'end']);
  expect(toText(listener.seen)).toEqual(['All of it.']);
  const [newest] = await t.redis.xrevrange(t.keys.events(id), '+', '-', 'COUNT', 1);
  expect((await listen(eventsUrl(id), newest?.[0])).response.status).toBe(204);
});

test('a lecture that was changed after its end: who has seen that is told not to come again, until it is worked on again', async () => {
  const { id } = await makeLecture(t);
  const text = { language: 'en', text: 'All of it.', segments: [makeSegment(0, 'All of it.')] };
  await finishLecture(t, id, { assemble: text, ...study });
  await t.publisher.publish(id, { type: 'end', status: 'ready' });
  const [end] = await t.redis.xrevrange(t.keys.events(id), '+', '-', 'COUNT', 1);
  await t.client.editTranscript(id, [{ id: 0, text: 'All of that.' }]);
  // One that comes for the first time, and one that had seen the end.
  for (const lastId of [undefined, end?.[0]]) {
    const listener = await listen(eventsUrl(id), lastId);
    await listener.ended;
    const names = listener.seen.map(({ name }) => name);
    expect(names.slice(-2)).toEqual([lastId === undefined ? 'segments' : 'lecture', 'end']);
    expect((await listen(eventsUrl(id), listener.seen.at(-1)?.id ?? undefined)).response.status).toBe(204);
  }
  const last = await listen(eventsUrl(id));
  await last.ended;
  await t.client.editTranscript(id, [{ id: 0, text: 'All of this.' }]);
  const again = await listen(eventsUrl(id), last.seen.at(-1)?.id ?? undefined);
  await again.ended;
  expect(again.seen.map(({ name }) => name)).toEqual(['lecture', 'lecture', 'end']);
  // Its events have expired: what is as it was needs no snapshot.
  await t.redis.del(t.keys.events(id));
  expect((await listen(eventsUrl(id), again.seen.at(-1)?.id ?? undefined)).response.status).toBe(204);
  await t.lectures.update(id, ({ artifacts: { summary: _, ...artifacts }, ...record }) => ({ ...record, artifacts }));
  const later = await listen(eventsUrl(id), again.seen.at(-1)?.id ?? undefined);
  await later.next(({ name }) => name === 'segments');
  expect(later.seen[0]?.name).toBe('snapshot');
  later.leave();
});

test('a stage that is done again after the end: a reader from before the end sees the new events too', async () => {
  const { id } = await makeLecture(t);
  await mark(id, 1);
  const [first] = await t.redis.xrange(t.keys.events(id), '-', '+');
  await t.publisher.publish(id, { type: 'end', status: 'partial' });
  await mark(id, 2);
  const listener = await listen(eventsUrl(id), first?.[0]);
  await listener.next((event) => event.name === 'lecture');
  expect(listener.seen.map((event) => event.data.changes.durationSeconds)).toEqual([2]);
  listener.leave();
});

test('transcription done again: text of the old attempt is left out, the new one counts from 0', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['old']);
  const listener = await listen(eventsUrl(id));
  await listener.next((event) => event.name === 'segments');
  await finishChunk(id, 0, ['new'], 2);
  await listener.next((event) => event.data.segments?.[0]?.text === 'new');
  await finishChunk(id, 1, ['late old']);
  await finishChunk(id, 1, ['new too'], 2);
  await listener.next((event) => event.data.segments?.[0]?.text === 'new too');
  expect(toText(listener.seen)).toEqual(['new', 'new too']);
  listener.leave();
});

test('many readers of several lectures: each sees its own lecture, all of it', async () => {
  const made = await Promise.all([makeLecture(t), makeLecture(t)]);
  const listeners = await Promise.all(
    made.flatMap(({ id }, i) => Array.from({ length: 20 }, async () => ({ i, listener: await listen(eventsUrl(id)) }))),
  );
  await Promise.all(listeners.map(({ listener }) => listener.next((event) => event.name === 'snapshot')));
  await Promise.all(
    made.map(async ({ id }, i) => {
      for (let chunk = 0; chunk < 5; chunk++) await finishChunk(id, chunk, [`${i} ${chunk}`]);
      await t.publisher.publish(id, { type: 'end', status: 'ready' });
    }),
  );
  for (const { i, listener } of listeners) {
    await listener.ended;
    expect(toText(listener.seen)).toEqual([0, 1, 2, 3, 4].map((chunk) => `${i} ${chunk}`));
  }
});

test('delete and cancel while somebody follows: the stream ends with cancelled', async () => {
  for (const work of ['delete', 'cancel'] as const) {
    const { id } = await makeLecture(t);
    const listener = await listen(eventsUrl(id));
    await listener.next((event) => event.name === 'snapshot');
    if (work === 'delete') await t.client.deleteLecture(id);
    else await t.client.cancelLecture(id);
    await listener.ended;
    expect(listener.seen.at(-1)).toMatchObject({ name: 'end', data: { status: 'cancelled' } });
  }
});

test('the client follows a lecture: typed events until the end, also when it starts after the end', async () => {
  const { id } = await makeLecture(t);
  await finishChunk(id, 0, ['hello']);
  await finishLecture(t, id, {
    assemble: { language: 'en', text: 'hello', segments: [makeSegment(0, 'hello')] },
    ...study,
  });
  const types: LectureEvent['type'][] = [];
  for await (const event of t.client.followLecture(id)) types.push(event.type);
  expect(types).toEqual(['snapshot', 'segments', 'end']);
  const otherId = `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`;
  await expect(t.client.followLecture(otherId).next()).rejects.toMatchObject({ code: 'not_found' });
});

test('a reader that leaves: is let go', async () => {
  const { id } = await makeLecture(t);
  const listener = await listen(eventsUrl(id));
  await until(async () => t.api.listenerCount() > 0, 'the reader to be there');
  listener.leave();
  await until(async () => t.api.listenerCount() === 0, 'the reader to be let go');
});

test('the API stops: open streams are told to come back and are ended', async () => {
  const own = await startTestApi({ redisUrl: testRedisUrl() });
  const { id } = await makeLecture(own);
  const listener = await listen(`${own.url}/api/v1/lectures/${id}/events`);
  await listener.next((event) => event.name === 'snapshot');
  await own.close();
  await listener.ended;
  expect(listener.seen.map((event) => event.name)).toEqual(['snapshot']);
});
