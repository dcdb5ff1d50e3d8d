import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseConfig } from '@studymate/config/config';
import { createId } from '@studymate/contracts/ids';
import { type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import { type StageName, stageNames } from '@studymate/contracts/stages';
import { noTracer } from '@studymate/observability/tracer';
import { createActiveLectures } from '@studymate/queue/active';
import { type Advancer, createAdvancer } from '@studymate/queue/advance';
import { createPace } from '@studymate/queue/backlog';
import { announceCancel, createCancelListener } from '@studymate/queue/cancel';
import { createEventPublisher, createEventReader, type StreamEvent } from '@studymate/queue/events';
import { createFailedIndex } from '@studymate/queue/failed';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import { createKeys, type Keys } from '@studymate/queue/keys';
import { createLiveStore, type LiveStore } from '@studymate/queue/live';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { createQueues, type Queues } from '@studymate/queue/queues';
import { createRedis } from '@studymate/queue/redis';
import { testRedisUrl } from '@studymate/queue/testing';
import { createArtifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { createFileBlobStore } from '@studymate/storage/file-blob-store';
import { mediaKey } from '@studymate/storage/lecture-keys';
import { createLectureStore, type LectureStore } from '@studymate/storage/lecture-store';
import { createRunFence } from '@studymate/storage/run-fence';
import type { Redis } from 'ioredis';
import type { Callbacks } from '../../src/callbacks/callbacks.ts';
import { createDonors } from '../../src/donors.ts';
import { createReconciler, type Reconciler } from '../../src/reconciler.ts';
import type { Stage, StageDeps } from '../../src/stage-context.ts';
import { createStageRunner, type StageRunner, type StageRunnerDeps } from '../../src/stage-runner.ts';

type Artifacts = ReturnType<typeof createArtifacts>;

/** What a stage asks of the study inputs is enough where nothing is left to tidy up. */
export type RunnerDeps = Partial<Omit<StageRunnerDeps, 'studyInputs'> & Pick<StageDeps, 'studyInputs'>>;

/** A store, a Redis prefix and the queues of their own, and as many stage runners over them as a test wants. */
export interface TestRunners {
  blobs: BlobStore;
  artifacts: Artifacts;
  lectures: LectureStore;
  redis: Redis;
  redisUrl: string;
  prefix: string;
  keys: Keys;
  queues: Queues;
  live: LiveStore;
  advancer: Advancer;
  /** Runs that were refused, in order. */
  refused: StageJobData[];
  /** Stages that gave up, in order, each with its code. */
  given: [StageName, string][];
  /** Jobs whose result was taken over, in order. */
  reused: StageJobData[];
  /** A runner as one worker has it. What a test's stage does not do, nobody does. */
  createRunner(stages: Partial<Record<StageName, Stage>>, deps?: RunnerDeps): StageRunner;
  /** @param onError what a lecture that cannot be reconciled is told to; without it the test fails */
  createReconciler(
    runner: StageRunner,
    onError?: (error: Error, lectureId: string) => void,
    callbacks?: Pick<Callbacks, 'tell'>,
  ): Reconciler;
  makeLecture(changes?: Partial<LectureRecord>): Promise<LectureRecord>;
  cancel(lectureId: string): Promise<void>;
  readEvents(lectureId: string): Promise<StreamEvent[]>;
  /** Keys of everything that lies in the store for a lecture, without its record's versions. */
  listArtifacts(lectureId: string): Promise<string[]>;
  /** Names of all files in the store's folder, also unfinished ones. */
  listFiles(): Promise<string[]>;
  close(): Promise<void>;
}

const noCallbacks: Pick<Callbacks, 'tell'> = { tell: async () => false };

export async function openTestRunners(): Promise<TestRunners> {
  const url = testRedisUrl();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-runners-'));
  const prefix = `{r${createId()}}`;
  const keys = createKeys(prefix);
  const connections: Redis[] = [];
  const connect = (): Redis => {
    const connection = createRedis({ url, kind: 'consumer', onError: () => {} });
    connections.push(connection);
    return connection;
  };
  const redis = connect();
  const subscriber = connect();
  const blobs = await createFileBlobStore({ rootDir: dataDir });
  const artifacts = createArtifacts({ blobs });
  const lectures = createLectureStore({ blobs });
  const queues = createQueues({ redis, prefix });
  const active = createActiveLectures({ redis, keys });
  const failed = createFailedIndex({ redis, keys });
  const advancer = createAdvancer({ lectures, queues, active });
  const live = createLiveStore({ redis, keys });
  const cancels = createCancelListener({ subscriber, keys });
  const reader = createEventReader({ redis, subscriber: connect(), keys });
  const refused: StageJobData[] = [];
  const given: [StageName, string][] = [];
  const reused: StageJobData[] = [];

  const notDone: Stage = () => {
    throw new Error('no test has said what this stage does');
  };
  return {
    blobs,
    artifacts,
    lectures,
    redis,
    redisUrl: url,
    prefix,
    keys,
    queues,
    live,
    advancer,
    refused,
    given,
    reused,
    createRunner(stages, deps = {}) {
      const all = Object.fromEntries(stageNames.map((name) => [name, stages[name] ?? notDone]));
      return createStageRunner({
        config: parseConfig({ DATA_DIR: dataDir, REDIS_URL: url }, '/'),
        blobs,
        artifacts,
        lectures,
        fence: createRunFence({ blobs }),
        live,
        events: createEventPublisher({ redis, keys }),
        pace: createPace({ redis, keys, queues, active, fleet: createModelFleet({ redis, keys }) }),
        advance: advancer.advance,
        withdraw: advancer.withdraw,
        cancels,
        active,
        failed,
        callbacks: noCallbacks,
        observeStage: () => {},
        donors: createDonors({ lectures, artifacts }),
        onReused: (job) => reused.push(job),
        onFailed: (job, error) => given.push([job.stage, error.code]),
        onSuperseded: (job) => refused.push(job),
        summaryWriter: null,
        tracer: noTracer,
        ...(deps as Pick<StageRunnerDeps, 'models' | 'studyInputs' | 'studyProcess' | 'isolation'>),
        stages: all as Record<StageName, Stage>,
      });
    },
    createReconciler: (
      runner,
      onError = (error) => {
        throw error;
      },
      callbacks = noCallbacks,
    ) =>
      createReconciler({
        lectures,
        artifacts,
        events: createEventPublisher({ redis, keys }),
        queues,
        active,
        failed,
        advancer,
        runner,
        callbacks,
        isReadingDear: true,
        onError,
      }),
    async makeLecture(changes = {}) {
      const key = mediaKey(createId());
      const { bytes, sha256 } = await blobs.put(key, Buffer.from(key));
      const record = toFirstVersion({
        id: createId(),
        owner: 'local',
        title: 'Printing',
        media: { key, fileName: 'printing.mp3', contentType: 'audio/mpeg', bytes, sha256 },
        createdAt: '2026-01-01T00:00:00.000Z',
        durationSeconds: 60,
        ...changes,
      });
      await lectures.create(record);
      await active.add(record);
      return record;
    },
    async cancel(lectureId) {
      const cancelledAt = new Date().toISOString();
      await lectures.update(lectureId, (record) => ({ ...record, cancelledAt }));
      await announceCancel(redis, keys, lectureId);
    },
    async readEvents(lectureId) {
      return (await reader.readAfter(lectureId, '0-0', 1_000)).map(({ event }) => event);
    },
    async listArtifacts(lectureId) {
      const prefixLength = `lectures/${lectureId}/`.length;
      const found = await blobs.list(`lectures/${lectureId}/`);
      return found.map((key) => key.slice(prefixLength)).filter((key) => !key.startsWith('records/'));
    },
    async listFiles() {
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(dataDir, path.join(entry.parentPath, entry.name)));
    },
    async close() {
      await reader.close();
      await queues.close();
      const left = await redis.keys(`${prefix}*`);
      if (left.length > 0) await redis.del(...left);
      for (const connection of connections) connection.disconnect();
      await blobs.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
