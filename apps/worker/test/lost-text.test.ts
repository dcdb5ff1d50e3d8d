import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import { nextJobs } from '@studymate/queue/next-jobs';
import { toRetriedRecord } from '@studymate/queue/retry';
import { chunkKey, chunkSamplesKey, ingestManifestKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage, StageDeps } from '../src/stage-context.ts';
import type { StageRunner } from '../src/stage-runner.ts';
import { assemble } from '../src/stages/assemble.ts';
import { readText } from '../src/stages/read-text.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(() => runners.close());

const now = '2026-01-01T00:00:00.000Z';
const made = { startedAt: now, finishedAt: now, cold: false, algorithm: 'test@1' };
const textOf = (index: number) => ({
  ...{ schemaVersion: 1, index, language: 'en', languageProbability: 0.9, segments: [], audioSeconds: 10 },
  ...{ inferenceSeconds: 1, ...made },
});
const pin = {
  key: 'k',
  schemaVersion: 1 as const,
  algorithm: 'a@1',
  attempt: 1,
  startedAt: now,
  seconds: 1,
  cold: false,
};
const damage = Buffer.from('{"schemaVersion":1,');

/** A lecture with three chunks that are cut and transcribed. */
async function makeTranscribed(): Promise<LectureRecord> {
  const record = await runners.makeLecture({ artifacts: { ingest: pin } });
  const { createArtifact, createSamples } = runners.artifacts;
  for (let index = 0; index < 3; index++) {
    const window = { start: index * 10, end: index * 10 + 10, sampleOffset: 0, sampleCount: 4 };
    await createSamples(chunkSamplesKey(record.id, 1, index), new Int16Array(4));
    await createArtifact(chunkKey(record.id, 1, index), { schemaVersion: 1, index, windows: [window] });
    await createArtifact(transcribedChunkKey(record.id, 1, index), textOf(index));
  }
  const manifest = { schemaVersion: 1, durationSeconds: 30, speechSeconds: 30, chunkCount: 3, warnings: [] };
  await createArtifact(ingestManifestKey(record.id, 1), manifest);
  return record;
}

const transcribe: Stage = async (deps, context) => {
  const { record, part, attempt, write } = context;
  if (!(await readText(deps, context, part))) {
    await write.createArtifact(transcribedChunkKey(record.id, attempt, part), textOf(part));
  }
  return { pins: {} };
};
const models = { weightsName: async () => 'test@1' } as unknown as StageDeps['models'];
const createRunner = () => runners.createRunner({ assemble, transcribe }, { models });
const run = (runner: StageRunner, lectureId: string, stage: StageName, attempt = 1, part = 0) =>
  runner.run(
    { lectureId, stage, part, attempt },
    { isFinal: ({ retryable }) => !retryable, tries: 1, signal: new AbortController().signal },
  );
const readRecord = async (id: string): Promise<LectureRecord> => {
  const record = await runners.lectures.read(id);
  if (!record) throw new Error('the lecture is there');
  return record;
};

/** Takes jobs off their queues until there is nothing left to do; BullMQ keeps them as done. */
async function workOff(runner: StageRunner, lectureId: string): Promise<string[]> {
  const taken: string[] = [];
  const reconciler = runners.createReconciler(runner);
  const workers = (['transcribe', 'study'] as const).map(
    (name) => new Worker(name, null, { connection: runners.redis, prefix: runners.prefix }),
  );
  try {
    for (let round = 0; round < 6; round++) {
      await reconciler.reconcile();
      for (const worker of workers) {
        for (let job = await worker.getNextJob('t', { block: false }); job; ) {
          const { stage, part } = job.data;
          if (job.data.lectureId === lectureId && (stage === 'transcribe' || stage === 'assemble')) {
            taken.push(`${stage} ${part}`);
            await run(runner, lectureId, stage, job.data.attempt, part);
          }
          await job.moveToCompleted('done', 't', false);
          job = await worker.getNextJob('t', { block: false });
        }
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  return taken;
}

for (const [what, lose] of [
  ['deleted', (key: string) => runners.blobs.delete(key)],
  ['damaged', (key: string) => runners.blobs.put(key, damage)],
] as const) {
  test(`the text of a chunk that is ${what} after its run is made again, and the transcript has it`, async () => {
    const { id } = await makeTranscribed();
    const runner = createRunner();
    await runners.advancer.advance(id);
    await lose(transcribedChunkKey(id, 1, 1));
    expect(await workOff(runner, id)).toEqual(
      what === 'deleted' ? ['transcribe 1', 'assemble 0'] : ['assemble 0', 'transcribe 1', 'assemble 0'],
    );
    const record = await readRecord(id);
    expect(record.failures).toEqual({});
    expect(record.artifacts.assemble?.key).toMatch(/transcript\.json$/);
    expect(await runners.listArtifacts(id)).toContain('transcribe/1/chunk-0001.json');
  });

  test(`the text of a chunk that is ${what} and whose sound is gone fails the assembly at once, with a code`, async () => {
    const { id } = await makeTranscribed();
    await runners.blobs.delete(chunkSamplesKey(id, 1, 1));
    await lose(transcribedChunkKey(id, 1, 1));
    await expect(run(createRunner(), id, 'assemble')).rejects.toMatchObject({ code: 'artifact_lost' });
    expect((await readRecord(id)).failures.assemble).toMatchObject({ code: 'artifact_lost', attempt: 1 });
  });
}

test('an assembly that is asked for again without all texts fails, and nothing is asked for for ever', async () => {
  const { id } = await makeTranscribed();
  const runner = createRunner();
  await runners.advancer.advance(id);
  await workOff(runner, id);
  await runners.blobs.delete(transcribedChunkKey(id, 1, 2));
  const again = await runners.lectures.update(id, (record) => toRetriedRecord(record, 'assemble'));
  if (!again) throw new Error('the lecture is there');
  const jobs = nextJobs(again, await runners.lectures.readIndex(again));
  expect(jobs.map(({ stage, attempt }) => `${stage} ${attempt}`)).toEqual(['assemble 2']);
  await expect(run(runner, id, 'assemble', 2)).rejects.toMatchObject({ code: 'artifact_lost' });
  const failed = await readRecord(id);
  expect(nextJobs(failed, await runners.lectures.readIndex(failed))).toEqual([]);
});
