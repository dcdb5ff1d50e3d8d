import type { Chunk, TranscribedChunk } from '@studymate/contracts/artifacts';
import { stageNames } from '@studymate/contracts/stages';
import { createEventPublisher } from '@studymate/queue/events';
import { nextJobs } from '@studymate/queue/next-jobs';
import { createArtifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import {
  chunkKey,
  chunkSamplesKey,
  ingestManifestKey,
  studyArtifactKey,
  transcribedChunkKey,
} from '@studymate/storage/lecture-keys';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { createRunFence } from '@studymate/storage/run-fence';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDonors } from '../src/donors.ts';
import type { Stage, StageDeps } from '../src/stage-context.ts';
import type { StageRunner } from '../src/stage-runner.ts';
import { assemble } from '../src/stages/assemble.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(() => runners.close());

const chunkCount = 2;
const now = '2026-01-01T00:00:00.000Z';
const never = new AbortController().signal;

const toChunk = (index: number): Chunk => ({
  schemaVersion: 1,
  index,
  windows: [{ start: index * 10, end: index * 10 + 10, sampleOffset: 0, sampleCount: 160_000 }],
});

function toTranscribed(index: number): TranscribedChunk {
  const times = { start: index * 10, end: index * 10 + 1 };
  const words = [{ word: 'Metal', ...times, probability: 0.9 }];
  const segment = { id: 0, ...times, text: 'Metal', confidence: 0.9, flags: [], words };
  const made = { startedAt: now, finishedAt: now, cold: false, algorithm: 'test@1' };
  const language = { language: 'en', languageProbability: 0.9 };
  return { schemaVersion: 1, index, ...language, segments: [segment], audioSeconds: 10, inferenceSeconds: 1, ...made };
}

const ingest: Stage = async (deps, { record, attempt, write, updateRecord }) => {
  await updateRecord((current) => ({ ...current, durationSeconds: 20 }));
  for (let index = 0; index < chunkCount; index++) {
    await write.createSamples(chunkSamplesKey(record.id, attempt, index), new Int16Array(4));
    await write.createArtifact(chunkKey(record.id, attempt, index), toChunk(index));
    await deps.advance(record.id);
  }
  const key = ingestManifestKey(record.id, attempt);
  const manifest = { schemaVersion: 1, durationSeconds: 20, speechSeconds: 20, chunkCount, warnings: [] };
  await write.createArtifact(key, manifest);
  return { pins: { ingest: { key, algorithm: 'test@1' } } };
};
const transcribe: Stage = async (deps, { record, attempt, part, write }) => {
  await write.createArtifact(transcribedChunkKey(record.id, attempt, part), toTranscribed(part));
  await deps.events.publishChunk(record.id, attempt, part, 1);
  return { pins: {} };
};
const study =
  (name: 'chapters' | 'topics' | 'summary' | 'flashcards'): Stage =>
  async (_, { record, attempt, write }) => {
    const key = studyArtifactKey(record.id, name, attempt);
    await write.createArtifact(key, { schemaVersion: 1, content: [] });
    return { pins: { [name]: { key, algorithm: 'test@1' } } };
  };
const stages = {
  ingest,
  transcribe,
  assemble,
  chapters: study('chapters'),
  topics: study('topics'),
  summary: study('summary'),
  flashcards: study('flashcards'),
};

/** What a process has that dies before its n-th write, queueing or telling of text: from then on nothing it calls comes back well. */
function createMortal(blobs: BlobStore, stepsLeft: number) {
  let steps = 0;
  const mortal =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>, isStep: boolean) =>
    async (...args: A): Promise<R> => {
      if (isStep) steps++;
      if (steps > stepsLeft) throw new Error('the process is dead');
      return call(...args);
    };
  const store: BlobStore = {
    ...blobs,
    create: mortal(blobs.create, true),
    delete: mortal(blobs.delete, true),
    read: mortal(blobs.read, false),
    stat: mortal(blobs.stat, false),
    list: mortal(blobs.list, false),
  };
  const publisher = createEventPublisher(runners);
  const events = { ...publisher, publishChunk: mortal(publisher.publishChunk, true) };
  return { store, deps: { advance: mortal(runners.advancer.advance, true), events }, isDead: () => steps > stepsLeft };
}

function createRunner(blobs: BlobStore, deps: Partial<Pick<StageDeps, 'advance' | 'events'>> = {}): StageRunner {
  const artifacts = createArtifacts({ blobs });
  const lectures = createLectureStore({ blobs });
  const models = {
    speechAlgorithm: async () => 'test@1',
    weightsName: async () => 'test#1',
  } as unknown as StageDeps['models'];
  const donors = createDonors({ artifacts, lectures });
  const fence = createRunFence({ blobs });
  return runners.createRunner(stages, { blobs, artifacts, lectures, fence, donors, models, ...deps });
}

/** Runs what is wanted until nothing is, or until the process is dead. */
async function work(runner: StageRunner, lectureId: string, isDead: () => boolean): Promise<void> {
  for (;;) {
    const record = await runners.lectures.read(lectureId);
    const jobs = record ? nextJobs(record, await runners.lectures.readIndex(record)) : [];
    const [job] = jobs;
    if (!job) return;
    // What is wanted has been queued by whoever made it wanted, or by the reconciler.
    for (const each of jobs) expect(await runners.queues.findStageJob(each)).toBeDefined();
    await runner.run(job, { isFinal: () => false, tries: 1, signal: never }).catch((error) => {
      if (!isDead()) throw error;
    });
    if (isDead()) return;
  }
}

test('a worker that dies before any write or queueing of a lecture: another one finishes it, everything is there once', async () => {
  let deaths = 0;
  for (let steps = 0; ; steps++) {
    const { id } = await runners.makeLecture();
    await runners.advancer.advance(id);
    const { store, deps, isDead } = createMortal(runners.blobs, steps);
    await work(createRunner(store, deps), id, isDead);
    if (isDead()) deaths++;
    const next = createRunner(runners.blobs);
    await runners.createReconciler(next).reconcile();
    await work(next, id, () => false);

    const record = await runners.lectures.read(id);
    expect(Object.keys(record?.artifacts ?? {}).sort()).toEqual([...stageNames].sort());
    expect(record?.failures).toEqual({});
    const chunks = ['chunk-0000.json', 'chunk-0001.json'];
    expect(await runners.listArtifacts(id)).toEqual([
      'assemble/1/transcript.json',
      'chapters/1/chapters.json',
      'flashcards/1/flashcards.json',
      ...chunks.map((name) => `ingest/1/${name}`),
      'ingest/1/manifest.json',
      'summary/1/summary.json',
      'topics/1/topics.json',
      ...chunks.map((name) => `transcribe/1/${name}`),
    ]);
    const text = (await runners.readEvents(id)).flatMap((event) => (event.type === 'segments' ? [event.chunk] : []));
    expect(text).toEqual([0, 1]);
    expect((await runners.readEvents(id)).at(-1)).toEqual({ type: 'end', status: 'ready' });
    // Until a whole lecture's work needs fewer steps than the process lives through.
    if (!isDead()) break;
  }
  expect(deaths).toBeGreaterThan(30);
});
