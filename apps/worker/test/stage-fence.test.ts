import { once } from 'node:events';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import { createArtifacts } from '@studymate/storage/artifacts';
import {
  chunkSamplesKey,
  deletionVersion,
  lecturePrefix,
  recordKey,
  transcribedChunkKey,
} from '@studymate/storage/lecture-keys';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { createRunFence } from '@studymate/storage/run-fence';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Stage, StageContext, StageOutcome } from '../src/stage-context.ts';
import type { StageRunner } from '../src/stage-runner.ts';
import { openTestRunners, type TestRunners } from './support/test-runner.ts';

let runners: TestRunners;
beforeAll(async () => {
  runners = await openTestRunners();
});
afterAll(() => runners.close());
beforeEach(() => {
  runners.refused.length = 0;
});

const never = new AbortController().signal;
const jobOf = ({ id }: LectureRecord, stage: StageName, part = 0): StageJobData => ({
  lectureId: id,
  stage,
  part,
  attempt: 1,
});
const start = (runner: StageRunner, job: StageJobData) =>
  runner.run(job, { isFinal: () => true, tries: 1, signal: never });
const done = async (): Promise<StageOutcome> => ({ pins: {} });

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A run whose worker sleeps in the middle of its stage until the test wakes it. */
function sleeper(wake: (context: StageContext) => Promise<StageOutcome>) {
  const entered = deferred<StageContext>();
  const gate = deferred<void>();
  const stage: Stage = async (_, context) => {
    entered.resolve(context);
    await gate.promise;
    return wake(context);
  };
  return { stage, entered: entered.promise, wake: gate.resolve };
}

const samples = new Int16Array([1, 2, 3]);
const writes: Record<string, (context: StageContext) => Promise<unknown>> = {
  'an artifact': ({ write, record }) => write.createArtifact(transcribedChunkKey(record.id, 1, 7), { late: true }),
  samples: ({ write, record }) => write.createSamples(chunkSamplesKey(record.id, 1, 7), samples),
  embeddings: ({ write, record }) => write.createFloats(`lectures/${record.id}/assemble/1/x.f32`, new Float32Array(2)),
  'a change of the record': ({ updateRecord }) => updateRecord((record) => ({ ...record, title: 'late' })),
  'the removal of the samples': ({ dropSamples }) => dropSamples(),
};

/** What ends a run's right to write while it sleeps. */
const endings: Record<string, (record: LectureRecord) => Promise<void>> = {
  'another run of the job has finished': async (record) => {
    await start(runners.createRunner({ transcribe: done }), jobOf(record, 'transcribe'));
  },
  'its lecture has failed': async (record) => {
    const failing: Stage = async () => {
      throw new AppError('not_media', 'no recording', { retryable: false });
    };
    await start(runners.createRunner({ ingest: failing }), jobOf(record, 'ingest')).catch(() => {});
    expect((await runners.lectures.read(record.id))?.failures.ingest?.code).toBe('not_media');
  },
  'its lecture was cancelled and wound up': async ({ id }) => {
    const record = await runners.lectures.update(id, (r) => ({ ...r, cancelledAt: '2026-01-01T00:00:00.000Z' }));
    await runners.createRunner({}).finishIfEnded(record as LectureRecord);
  },
  'its lecture was deleted': async ({ id }) => runners.lectures.delete(id),
  'the job was given up in its absence': async (record) => {
    await runners
      .createRunner({})
      .keepFailure(jobOf(record, 'transcribe'), new AppError('model_crashed', 'stalled'), 4);
  },
};

describe.each(Object.entries(endings))('a run that wakes after %s', (_, end) => {
  test.each(Object.entries(writes))('is refused %s, changes nothing and keeps no failure', async (_, write) => {
    const record = await runners.makeLecture();
    await runners.artifacts.createSamples(chunkSamplesKey(record.id, 1, 0), samples);
    let refusal: unknown;
    const late = sleeper(async (context) => {
      refusal = await write(context).catch((error) => error);
      throw refusal;
    });
    const running = start(runners.createRunner({ transcribe: late.stage }), jobOf(record, 'transcribe'));
    await late.entered;
    await end(record);
    const before = { record: await runners.lectures.read(record.id), left: await runners.listArtifacts(record.id) };
    late.wake();
    await running;
    expect(refusal).toMatchObject({ code: 'superseded' });
    expect(runners.refused).toEqual([jobOf(record, 'transcribe')]);
    expect(await runners.lectures.read(record.id)).toEqual(before.record);
    expect(await runners.listArtifacts(record.id)).toEqual(before.left);
  });
});

describe('of two runs of one job', () => {
  test('the late one pins nothing while the other still works, and the other pins its own', async () => {
    const record = await runners.makeLecture();
    const late = sleeper(async () => ({ pins: { ingest: { key: 'late', algorithm: 'test@1' } } }));
    const current = sleeper(async () => ({ pins: { ingest: { key: 'current', algorithm: 'test@1' } } }));
    const first = start(runners.createRunner({ ingest: late.stage }), jobOf(record, 'ingest'));
    await late.entered;
    const second = start(runners.createRunner({ ingest: current.stage }), jobOf(record, 'ingest'));
    await current.entered;
    late.wake();
    await first;
    expect((await runners.lectures.read(record.id))?.artifacts).toEqual({});
    current.wake();
    await second;
    expect((await runners.lectures.read(record.id))?.artifacts.ingest?.key).toBe('current');
  });

  test('the failure of the late one is not kept', async () => {
    const record = await runners.makeLecture();
    const late = sleeper(async () => {
      throw new AppError('internal', 'broken in its sleep', { retryable: false });
    });
    const current = sleeper(done);
    const first = start(runners.createRunner({ ingest: late.stage }), jobOf(record, 'ingest'));
    await late.entered;
    const second = start(runners.createRunner({ ingest: current.stage }), jobOf(record, 'ingest'));
    await current.entered;
    late.wake();
    await first;
    current.wake();
    await second;
    expect((await runners.lectures.read(record.id))?.failures).toEqual({});
    expect(runners.refused).toHaveLength(1);
  });

  test('the late one is stopped at its next progress, which is not shown and does not set the stage back', async () => {
    const record = await runners.makeLecture();
    const progressIn = async () => {
      const events = await runners.readEvents(record.id);
      return events.flatMap((event) => (event.type === 'stage' ? [event.stage.progress] : []));
    };
    const keepReporting = async (context: StageContext, fraction: number, until: Promise<unknown>) => {
      const timer = setInterval(() => context.reportProgress(fraction), 10);
      await until;
      clearInterval(timer);
      return { pins: {} };
    };
    const late = sleeper((context) => keepReporting(context, 0.3, once(context.signal, 'abort')));
    const shown = () => vi.waitFor(async () => expect(await progressIn()).toContain(0.8), { timeout: 90_000 });
    const current = sleeper((context) => keepReporting(context, 0.8, shown()));
    const first = start(runners.createRunner({ ingest: late.stage }), jobOf(record, 'ingest'));
    await late.entered;
    const second = start(runners.createRunner({ ingest: current.stage }), jobOf(record, 'ingest'));
    await current.entered;
    current.wake();
    await second;
    late.wake();
    await first;
    const progress = await progressIn();
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect((await runners.live.read(record.id, {})).stages.ingest?.progress).toBe(0.8);
    expect(runners.refused).toHaveLength(1);
  });
});

describe('a lecture that is deleted', () => {
  test('between a question and the write after it: what was written is removed, nothing is left', async () => {
    const record = await runners.makeLecture();
    const blobs = {
      ...runners.blobs,
      async create(key: string, body: Uint8Array) {
        if (key.endsWith('.pcm')) await runners.lectures.delete(record.id);
        return runners.blobs.create(key, body);
      },
    };
    const stage: Stage = async (_, { write }) => {
      await write.createSamples(chunkSamplesKey(record.id, 1, 0), samples);
      return { pins: {} };
    };
    const runner = runners.createRunner({ ingest: stage }, { artifacts: createArtifacts({ blobs }) });
    await start(runner, jobOf(record, 'ingest'));
    expect(runners.refused).toHaveLength(1);
    const left = (await runners.listFiles()).filter((file) => file.includes(record.id));
    expect(left).toEqual([recordKey(record.id, deletionVersion)]);
  });

  test('while a run writes behind the listing of what is to be deleted: the run removes it again', async () => {
    const record = await runners.makeLecture();
    const late = sleeper(async ({ write }) => {
      await write.createArtifact(transcribedChunkKey(record.id, 1, 0), {});
      return { pins: {} };
    });
    // Its question before the write was asked earlier: this one writes unasked, and asks afterwards.
    const fence = createRunFence(runners);
    const claim: typeof fence.claim = async (...args) => {
      const run = await fence.claim(...args);
      let asked = false;
      const check = async () => {
        const isFirst = asked === false && entered;
        asked ||= entered;
        if (!isFirst) await run.check();
      };
      return { ...run, check };
    };
    let entered = false;
    const runner = runners.createRunner({ transcribe: late.stage }, { fence: { ...fence, claim } });
    const running = start(runner, jobOf(record, 'transcribe'));
    await late.entered;
    entered = true;
    const blobs = {
      ...runners.blobs,
      async list(prefix: string) {
        const keys = await runners.blobs.list(prefix);
        if (prefix !== lecturePrefix(record.id)) return keys;
        late.wake();
        await running;
        return keys;
      },
    };
    await createLectureStore({ blobs }).delete(record.id);
    expect(runners.refused).toHaveLength(1);
    expect(await runners.listArtifacts(record.id)).toEqual([]);
  });

  test('between the reading of its record and the beginning of a run: the stage is not begun, no mark is left', async () => {
    const record = await runners.makeLecture();
    const fence = createRunFence({ blobs: runners.blobs });
    let begun = false;
    const stage: Stage = async () => {
      begun = true;
      return { pins: {} };
    };
    const claimLate = async (...args: Parameters<typeof fence.claim>) => {
      await runners.lectures.delete(record.id);
      return fence.claim(...args);
    };
    const runner = runners.createRunner({ ingest: stage }, { fence: { ...fence, claim: claimLate } });
    await start(runner, jobOf(record, 'ingest'));
    expect(begun).toBe(false);
    expect(await runners.listArtifacts(record.id)).toEqual([]);
  });
});

test('a study stage given up while its run sleeps: the run is refused, though the lecture goes on', async () => {
  const ref = { key: 'k', schemaVersion: 1, algorithm: 'test@1', attempt: 1, seconds: 1, cold: null };
  const pinned = { ...ref, startedAt: '2026-01-01T00:00:00.000Z' };
  const record = await runners.makeLecture({ artifacts: { ingest: pinned, transcribe: pinned, assemble: pinned } });
  const key = `lectures/${record.id}/chapters/1/chapters.json`;
  const late = sleeper(async ({ write }) => {
    await write.createArtifact(key, {});
    return { pins: { chapters: { key, algorithm: 'test@1' } } };
  });
  const running = start(runners.createRunner({ chapters: late.stage }), jobOf(record, 'chapters'));
  await late.entered;
  await runners.createRunner({}).keepFailure(jobOf(record, 'chapters'), new AppError('model_crashed', 'stalled'), 4);
  late.wake();
  await running;
  expect(runners.refused).toHaveLength(1);
  expect(await runners.blobs.stat(key)).toBeNull();
  expect((await runners.lectures.read(record.id))?.artifacts.chapters).toBeUndefined();
});

test('a lecture that ends keeps no marks; a retry that began meanwhile keeps its samples and its right to write', async () => {
  const record = await runners.makeLecture();
  const pinned: Stage = async () => ({ pins: { ingest: { key: 'k', algorithm: 'test@1' } } });
  await start(runners.createRunner({ ingest: pinned }), jobOf(record, 'ingest'));
  expect(await runners.listArtifacts(record.id)).toEqual(['runs/ingest/1/0-1']);
  const old = await runners.lectures.update(record.id, (r) => ({ ...r, cancelledAt: '2026-01-01T00:00:00.000Z' }));
  await runners.artifacts.createSamples(chunkSamplesKey(record.id, 1, 0), samples);
  await runners.artifacts.createSamples(chunkSamplesKey(record.id, 2, 0), samples);
  const retried = await createRunFence(runners).claim(record.id, { stage: 'ingest', attempt: 2, part: 0 });
  await runners.createRunner({}).finishIfEnded(old as LectureRecord);
  expect(await runners.listArtifacts(record.id)).toEqual(['ingest/2/chunk-0000.pcm', 'runs/ingest/2/0-1']);
  await retried.check();
});
