import { AppError } from '@studymate/contracts/errors';
import { createActiveLectures } from '@studymate/queue/active';
import { createEventPublisher } from '@studymate/queue/events';
import { toRetriedRecord } from '@studymate/queue/retry';
import { chunkKey, chunkSamplesKey, recordKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { createRunFence } from '@studymate/storage/run-fence';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(() => runners.close());

const endedAt = '2026-01-01T00:00:00.000Z';
const failure = { code: 'not_media', message: '', attempt: 1, failedAt: endedAt };

test.each([
  ['was cancelled', { cancelledAt: endedAt }, []],
  ['has failed', { failures: { ingest: failure } }, [{ type: 'end', status: 'failed' }]],
])(
  'a lecture that %s, its worker dead before the winding up and Redis empty: is wound up by a reindex',
  async (_, changes, told) => {
    const { id } = await runners.makeLecture(changes);
    await createRunFence(runners).claim(id, { stage: 'ingest', attempt: 1, part: 0 });
    await runners.artifacts.createSamples(chunkSamplesKey(id, 1, 0), new Int16Array(4));
    await runners.redis.del(runners.keys.active, runners.keys.work, runners.keys.left);
    const reconciler = runners.createReconciler(runners.createRunner({}));
    expect(await reconciler.reindex()).toBe(1);
    await reconciler.reconcile();
    expect(await runners.listArtifacts(id)).toEqual([]);
    expect((await runners.readEvents(id)).filter((event) => event.type === 'end')).toEqual(told);
    // What is wound up is left alone.
    expect(await reconciler.reindex()).toBe(0);
  },
);

test('a lecture that is asked for again while its end is told: stays on the list of the unfinished', async () => {
  const { redis, keys, lectures } = runners;
  const { id } = await runners.makeLecture({ failures: { ingest: failure } });
  const ended = await lectures.read(id);
  if (!ended) throw new Error('it is there');
  const active = createActiveLectures({ redis, keys });
  const retry = async () => {
    const record = await lectures.update(id, (current) => toRetriedRecord(current, 'ingest'));
    if (record) await active.add(record);
  };
  const runner = runners.createRunner(
    {},
    { active: { ...active, remove: (id) => retry().then(() => active.remove(id)) } },
  );
  expect(await runner.finishIfEnded(ended)).toBe(true);
  expect(await active.list()).toContain(id);
  expect((await active.read()).map((lecture) => lecture.id)).toContain(id);
});

test('text that Redis has forgotten in the middle of a lecture: is announced again, once, and what follows after it', async () => {
  const { id } = await runners.makeLecture();
  const transcribed = (index: number) => ({
    schemaVersion: 1,
    index,
    language: null,
    languageProbability: null,
    segments: [{ id: 0, start: 0, end: 1, text: 'Metal', confidence: 0.9, flags: [], words: [] }],
    audioSeconds: 10,
    inferenceSeconds: 1,
    startedAt: endedAt,
    finishedAt: endedAt,
    cold: false,
    algorithm: 'test@1',
  });
  // Chunk 2 is still being transcribed.
  for (const index of [0, 1, 3])
    await runners.artifacts.createArtifact(transcribedChunkKey(id, 1, index), transcribed(index));
  const reconciler = runners.createReconciler(runners.createRunner({}));
  for (let i = 0; i < 2; i++) await reconciler.reconcile();
  const told = async () =>
    (await runners.readEvents(id)).flatMap((event) => (event.type === 'segments' ? [event.chunk] : []));
  expect(await told()).toEqual([0, 1]);
  await createEventPublisher(runners).publishChunk(id, 1, 2, 1);
  await reconciler.reconcile();
  expect(await told()).toEqual([0, 1, 2, 3]);
});

test('a lecture one of whose chunks gives up: its other chunks leave the queue and their share is given back', async () => {
  const record = await runners.makeLecture({ owner: 'ada' });
  for (const index of [0, 1, 2, 3]) {
    const window = { start: index, end: index + 1, sampleOffset: 0, sampleCount: 4 };
    await runners.artifacts.createArtifact(chunkKey(record.id, 1, index), {
      schemaVersion: 1,
      index,
      windows: [window],
    });
  }
  await runners.advancer.advance(record.id);
  const jobOf = (part: number) => ({ lectureId: record.id, stage: 'transcribe' as const, part, attempt: 1 });
  const find = async () =>
    Promise.all([0, 1, 2, 3].map(async (part) => (await runners.queues.findStageJob(jobOf(part))) !== undefined));
  expect(await find()).toEqual([true, true, true, true]);
  const failing = runners.createRunner({
    transcribe: async () => {
      throw new AppError('model_crashed', 'It ended.');
    },
  });
  const tryIt = (isFinal: boolean) =>
    failing.run(jobOf(1), { isFinal: () => isFinal, tries: 3, signal: new AbortController().signal });
  await expect(tryIt(false)).rejects.toMatchObject({ code: 'model_crashed' });
  expect(runners.given).toEqual([]);
  await expect(tryIt(true)).rejects.toMatchObject({ code: 'model_crashed' });
  expect(runners.given).toEqual([['transcribe', 'model_crashed']]);
  expect(await find()).toEqual([false, true, false, false]);
  const finish = await runners.redis.zscore(runners.keys.shares('transcribe'), 'o:ada');
  // Of a first chunk of one unit and three of four, that one and two were given back.
  expect(finish).toBe('4');
});

test('a lecture whose record is damaged is told of once, holds up no other, and comes back when it is restored', async () => {
  const told: string[] = [];
  const runner = runners.createRunner({});
  const reconciler = runners.createReconciler(runner, (_, lectureId) => told.push(lectureId));
  const damaged = await runners.makeLecture();
  const other = await runners.makeLecture();
  const active = createActiveLectures(runners);
  const key = recordKey(damaged.id, 2);
  await runners.blobs.put(key, Buffer.from('{"half'));
  for (let round = 0; round < 3; round++) await reconciler.reconcile();
  await reconciler.reindex();
  expect(told).toEqual([damaged.id]);
  expect(await active.list()).not.toContain(damaged.id);
  const jobOf = ({ id }: { id: string }) => ({ lectureId: id, stage: 'ingest' as const, part: 0, attempt: 1 });
  expect(await runners.queues.findStageJob(jobOf(other))).toBeDefined();
  expect(await runners.blobs.stat(damaged.media.key)).not.toBeNull();

  await runners.blobs.delete(key);
  await reconciler.reindex();
  await reconciler.reconcile();
  expect(await runners.queues.findStageJob(jobOf(damaged))).toBeDefined();
});

test('a lecture that a later version has written is told of once, and stays on the list for a worker that can read it', async () => {
  const told: string[] = [];
  const reconciler = runners.createReconciler(runners.createRunner({}), (_, lectureId) => told.push(lectureId));
  const { id } = await runners.makeLecture();
  await runners.blobs.put(recordKey(id, 2), Buffer.from(JSON.stringify({ schemaVersion: 99, id })));
  for (let round = 0; round < 3; round++) await reconciler.reconcile();
  expect(told).toEqual([id]);
  expect(await createActiveLectures(runners).list()).toContain(id);
  await runners.lectures.delete(id);
});
