import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultBacklog } from '../src/estimate.ts';
import { createEventPublisher, createEventReader, type EventPublisher, type EventReader } from '../src/events.ts';
import { noLiveState, toLectureView } from '../src/lecture-view.ts';
import { createLiveStore } from '../src/live.ts';
import { emptyIndex, lectureRecord } from './lecture-fixtures.ts';
import { openTestRedis, type TestRedis } from './support/redis.ts';

let testRedis: TestRedis;
let publisher: EventPublisher;
let reader: EventReader;
beforeAll(() => {
  testRedis = openTestRedis();
  publisher = createEventPublisher({ redis: testRedis.redis, keys: testRedis.keys });
  reader = createEventReader({ redis: testRedis.redis, subscriber: testRedis.connect(), keys: testRedis.keys });
});
afterAll(async () => {
  await reader.close();
  await testRedis.close();
});

const ended = { type: 'end', status: 'ready' } as const;

test('the end of a lecture is told once, whoever finds it ended, and once more after a retry', async () => {
  const record = lectureRecord();
  const view = { ...toLectureView(record, emptyIndex, noLiveState, defaultBacklog), status: 'ready' as const };
  await Promise.all([publisher.publishEnd(record, view), publisher.publishEnd(record, view)]);
  const types = async () => (await reader.readAfter(record.id, '0-0', 100)).map(({ event }) => event.type);
  expect(await types()).toEqual(['lecture', 'end']);
  await publisher.publishEnd({ ...record, attempts: { topics: 2 } }, view);
  await publisher.publishEnd({ ...record, attempts: { topics: 2 } }, view);
  expect(await types()).toEqual(['lecture', 'end', 'lecture', 'end']);
});

describe('chunks of a lecture', () => {
  test('that are done out of order are announced in order, with the number of their first segment', async () => {
    for (const [chunk, count] of [
      [2, 5],
      [1, 4],
      [0, 3],
      [3, 0],
      [4, 1],
    ] as const) {
      await publisher.publishChunk('order', 1, chunk, count);
    }
    const events = await reader.readAfter('order', '0-0', 100);
    expect(events.map(({ event }) => event)).toEqual([
      { type: 'segments', attempt: 1, chunk: 0, from: 0, count: 3 },
      { type: 'segments', attempt: 1, chunk: 1, from: 3, count: 4 },
      { type: 'segments', attempt: 1, chunk: 2, from: 7, count: 5 },
      { type: 'segments', attempt: 1, chunk: 3, from: 12, count: 0 },
      { type: 'segments', attempt: 1, chunk: 4, from: 12, count: 1 },
    ]);
  });

  test('that are done twice are announced once, with what the first said', async () => {
    await publisher.publishChunk('twice', 1, 0, 3);
    await Promise.all([publisher.publishChunk('twice', 1, 0, 9), publisher.publishChunk('twice', 1, 1, 2)]);
    const events = await reader.readAfter('twice', '0-0', 100);
    expect(events.map(({ event }) => event)).toEqual([
      { type: 'segments', attempt: 1, chunk: 0, from: 0, count: 3 },
      { type: 'segments', attempt: 1, chunk: 1, from: 3, count: 2 },
    ]);
  });

  test('of a new attempt count from the beginning', async () => {
    await publisher.publishChunk('again', 1, 0, 3);
    await publisher.publishChunk('again', 2, 0, 6);
    const events = await reader.readAfter('again', '0-0', 100);
    expect(events.at(-1)?.event).toEqual({ type: 'segments', attempt: 2, chunk: 0, from: 0, count: 6 });
  });
});

describe('an event reader', () => {
  test('is woken by a new event and reads on from where it was', async () => {
    await publisher.publish('wake', ended);
    const before = await reader.lastId('wake');
    const woken = new Promise<void>((resolve) => {
      const stop = reader.onWake('wake', () => {
        stop();
        resolve();
      });
    });
    // Publishing until the subscription stands: what is sent before it is there is not heard by anyone.
    const timer = setInterval(() => void publisher.publish('wake', ended), 20);
    await woken;
    clearInterval(timer);
    const events = await reader.readAfter('wake', before, 100);
    expect(events.length).toBeGreaterThan(0);
    expect(events.every(({ id }) => id > before)).toBe(true);
  });

  test('knows whether the event a client saw last is still there', async () => {
    await publisher.publish('resume', ended);
    expect(await reader.canResume('resume', await reader.lastId('resume'))).toBe(true);
    expect(await reader.canResume('resume', '1-0')).toBe(false);
    expect(await reader.lastId('unknown')).toBe('0-0');
  });
});

test('what a chunk has behind it is counted once however often it is told', async () => {
  const live = createLiveStore({ redis: testRedis.redis, keys: testRedis.keys });
  expect(await live.setCovered('covered', 1, 0, 10)).toBe(10);
  expect(await live.setCovered('covered', 1, 1, 20)).toBe(30);
  expect(await live.setCovered('covered', 1, 1, 25)).toBe(35);
  expect(await live.setCovered('covered', 2, 0, 1)).toBe(1);
});

test('live state is read for the attempt that counts', async () => {
  const live = createLiveStore({ redis: testRedis.redis, keys: testRedis.keys });
  const first = { startedAt: '2026-01-01T00:00:00.000Z', progress: 0.5, cold: true };
  await live.setStage('live', 'ingest', 1, first);
  expect(await live.read('live', {})).toEqual({ stages: { ingest: first } });
  expect(await live.read('live', { ingest: 2 })).toEqual(noLiveState);
  await live.delete('live');
  expect(await live.read('live', {})).toEqual(noLiveState);
});

test('live state told by two runs of a stage, the older one last, does not go backwards', async () => {
  const live = createLiveStore({ redis: testRedis.redis, keys: testRedis.keys });
  const told = { startedAt: '2026-01-01T00:00:05.000Z', progress: 0.5, cold: true };
  await live.setStage('two', 'transcribe', 1, told);
  await live.setStage('two', 'transcribe', 1, { startedAt: '2026-01-01T00:00:09.000Z', progress: 0.2, cold: null });
  expect((await live.read('two', {})).stages.transcribe).toEqual(told);
  await live.setStage('two', 'transcribe', 1, { startedAt: '2026-01-01T00:00:01.000Z', progress: 0.75, cold: false });
  const merged = { startedAt: '2026-01-01T00:00:01.000Z', progress: 0.75, cold: true };
  expect((await live.read('two', {})).stages.transcribe).toEqual(merged);
  expect(await live.setCovered('two', 1, 0, 30)).toBe(30);
  expect(await live.setCovered('two', 1, 1, 12.5)).toBe(42.5);
  expect(await live.setCovered('two', 1, 0, 10)).toBe(42.5);
});

test('what a run still tells of a lecture that was deleted does not stay for ever', async () => {
  const { redis, keys } = testRedis;
  const live = createLiveStore({ redis, keys });
  await live.setCovered('gone', 1, 0, 10);
  await live.delete('gone');
  await live.setCovered('gone', 1, 0, 20);
  expect(await redis.ttl(keys.live('gone'))).toBeGreaterThan(0);
});
