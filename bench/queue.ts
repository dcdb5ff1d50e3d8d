import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createId } from '@studymate/contracts/ids';
import { type LectureRecord, toFirstVersion } from '@studymate/contracts/lecture-record';
import { stageNames } from '@studymate/contracts/stages';
import { createLogger } from '@studymate/observability/logger';
import { createMetrics } from '@studymate/observability/metrics';
import { noTracer } from '@studymate/observability/tracer';
import { createActiveLectures } from '@studymate/queue/active';
import { createAdvancer } from '@studymate/queue/advance';
import { createPace } from '@studymate/queue/backlog';
import { createCancelListener } from '@studymate/queue/cancel';
import { createEventPublisher } from '@studymate/queue/events';
import { createFailedIndex } from '@studymate/queue/failed';
import { createKeys } from '@studymate/queue/keys';
import { createLiveStore } from '@studymate/queue/live';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { createQueues } from '@studymate/queue/queues';
import { createRedis } from '@studymate/queue/redis';
import { createArtifacts } from '@studymate/storage/artifacts';
import { chunkKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { createLectureStore } from '@studymate/storage/lecture-store';
import { createRunFence } from '@studymate/storage/run-fence';
import { createJobHandlers, type JobHandlerDeps } from '@studymate/worker/src/job-handlers.ts';
import type { Stage } from '@studymate/worker/src/stage-context.ts';
import { createStageRunner, type StageRunnerDeps } from '@studymate/worker/src/stage-runner.ts';
import { Queue, Worker } from 'bullmq';
import { startRedis } from '../scripts/redis.mjs';
import { createMemoryBlobStore } from './lib/memory-blob-store.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about = 'what a job costs over raw BullMQ, artifacts kept in memory [lectures]';

/** Chunks of an hour of sound. */
const chunksOfLecture = 30;

/** Waits until the worker has told the queue that the job is done. */
function untilDone(worker: Worker, jobId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDone = (job: { id?: string | undefined }) => {
      if (job.id !== jobId) return;
      worker.off('completed', onDone).off('failed', onFailed);
      resolve();
    };
    const onFailed = (_job: unknown, error: Error) => reject(error);
    worker.on('completed', onDone).on('failed', onFailed);
  });
}

const toMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000;

const summary = (milliseconds: readonly number[]) => ({
  msMedian: round(median(milliseconds)),
  msP95: round(quantile(milliseconds, 0.95)),
});

export async function run(args: string[], note: (text: string) => void) {
  const lectureCount = Number(args[0] ?? 10);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'studymate-bench-queue-'));
  const server = await startRedis({ dataDir, durable: true });
  const connections: ReturnType<typeof createRedis>[] = [];
  const connect = () => {
    const redis = createRedis({ url: server.url, kind: 'consumer', onError: () => {} });
    connections.push(redis);
    return redis;
  };
  const prefix = '{bench}';
  const redis = connect();
  const keys = createKeys(prefix);
  const blobs = createMemoryBlobStore();
  const lectures = createLectureStore({ blobs });
  const artifacts = createArtifacts({ blobs });
  const queues = createQueues({ redis, prefix });
  const active = createActiveLectures({ redis, keys });
  const advancer = createAdvancer({ lectures, queues, active });
  const events = createEventPublisher({ redis, keys });
  const logger = createLogger({ name: 'bench', level: 'silent' });
  const metrics = createMetrics({ app: 'bench' });

  /** As the real stage, without the work: its artifact, its progress, its event. */
  const transcribe: Stage = async (deps, context) => {
    const { record, attempt, part } = context;
    await context.write.createArtifact(transcribedChunkKey(record.id, attempt, part), { index: part });
    await deps.live.setCovered(record.id, attempt, part, 120);
    await deps.events.publishChunk(record.id, attempt, part, 10);
    return { pins: {} };
  };
  const runner = createStageRunner({
    blobs,
    artifacts,
    lectures,
    fence: createRunFence({ blobs }),
    live: createLiveStore({ redis, keys }),
    events,
    pace: createPace({ redis, keys, queues, active, fleet: createModelFleet({ redis, keys }) }),
    advance: advancer.advance,
    cancels: createCancelListener({ subscriber: connect(), keys }),
    active,
    failed: createFailedIndex({ redis, keys }),
    onEnded: active.remove,
    observeStage: () => {},
    stages: Object.fromEntries(stageNames.map((name) => [name, transcribe])),
  } as unknown as StageRunnerDeps);
  const handlers = createJobHandlers({
    runner,
    logger,
    metrics,
    tracer: noTracer,
    stopping: new AbortController().signal,
  } as unknown as JobHandlerDeps);

  const raw = new Queue('raw', { connection: redis, prefix });
  const rawWorker = new Worker('raw', async () => {}, { connection: connect(), prefix, concurrency: 2 });
  const worker = new Worker('transcribe', handlers.transcribe, { connection: connect(), prefix, concurrency: 2 });
  const rawMs: number[] = [];
  const oursMs: number[] = [];
  const cpu = { raw: 0, ours: 0 };
  try {
    await Promise.all([rawWorker.waitUntilReady(), worker.waitUntilReady()]);
    // One lecture before, which is not counted.
    for (let i = -1; i < lectureCount; i++) {
      const record = toRecord();
      await lectures.create(record);
      await active.add(record);
      for (let part = 0; part < chunksOfLecture; part++) {
        const rawId = `${record.id}-${part}`;
        const rawCpu = process.cpuUsage();
        const rawStart = performance.now();
        const rawDone = untilDone(rawWorker, rawId);
        await raw.add('chunk', { lectureId: record.id, part }, { jobId: rawId, priority: 1, attempts: 3 });
        await rawDone;
        const rawEnd = performance.now();
        const rawCpuMs = toMs(process.cpuUsage(rawCpu));

        await blobs.create(chunkKey(record.id, 1, part), new Uint8Array());
        const oursCpu = process.cpuUsage();
        const oursStart = performance.now();
        const done = untilDone(worker, `${record.id}-transcribe-${part}-1`);
        await advancer.advance(record.id);
        await done;
        const oursEnd = performance.now();
        if (i < 0) continue;
        cpu.raw += rawCpuMs;
        cpu.ours += toMs(process.cpuUsage(oursCpu));
        rawMs.push(rawEnd - rawStart);
        oursMs.push(oursEnd - oursStart);
      }
      if (i >= 0) note(`${i + 1}/${lectureCount} lectures`);
      await active.remove(record.id);
      // Listing everything is what the store in memory does worst.
      await blobs.deletePrefix('');
    }
    const overheadMs = oursMs.map((ms, i) => ms - (rawMs[i] ?? Number.NaN));
    return {
      jobs: oursMs.length,
      rawBullMq: { ...summary(rawMs), cpuMsMean: round(cpu.raw / rawMs.length) },
      studyMate: { ...summary(oursMs), cpuMsMean: round(cpu.ours / oursMs.length) },
      overhead: summary(overheadMs),
    };
  } finally {
    await Promise.all([worker.close(), rawWorker.close()]);
    await Promise.all([raw.close(), queues.close()]);
    for (const connection of connections) connection.disconnect();
    metrics.close();
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function toRecord(): LectureRecord {
  return toFirstVersion({
    id: createId(),
    owner: 'bench',
    title: 'A lecture of an hour',
    requestedLanguage: 'en',
    media: { key: 'media/x', fileName: 'x.mp3', contentType: 'audio/mpeg', bytes: 57_600_000, sha256: '00' },
    createdAt: new Date().toISOString(),
    durationSeconds: 3_600,
    detectedLanguage: 'en',
  });
}
