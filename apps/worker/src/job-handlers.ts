import { type AppError, toAppError } from '@studymate/contracts/errors';
import type { TranscribeResponse } from '@studymate/contracts/requests';
import type { Logger } from '@studymate/observability/logger';
import type { Metrics } from '@studymate/observability/metrics';
import type { Tracer } from '@studymate/observability/tracer';
import type { Pace } from '@studymate/queue/backlog';
import { callbackJobSchema, type QueueName, quickJobSchema, stageJobSchema } from '@studymate/queue/job-catalogue';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import type { Callbacks } from './callbacks/callbacks.ts';
import { type QuickDeps, runQuickJob } from './quick/run-quick-job.ts';
import type { Reconciler } from './reconciler.ts';
import type { StageRunner } from './stage-runner.ts';
import { traceJobs } from './tracing.ts';

export interface JobHandlerDeps {
  runner: StageRunner;
  reconciler: Reconciler;
  /** Removes what dead processes left in the store. */
  collect(): Promise<void>;
  /** Removes what was kept for requests that are answered. */
  collectTransients(): Promise<void>;
  quick: QuickDeps;
  callbacks: Pick<Callbacks, 'run'>;
  pace: Pick<Pace, 'recordQuickJob'>;
  logger: Logger;
  metrics: Metrics;
  tracer: Tracer;
  /** Fires when the worker stops: what runs is handed back, and loses no try. */
  stopping: AbortSignal;
}

type Handler = (job: Job, token?: string, signal?: AbortSignal) => Promise<unknown>;

/** How long a stage waits for a model that cannot be loaded, before it is said to have failed. */
const modelPatienceMs = 15 * 60_000;

/** Stalls after which a job is a suspect: half of what `workerTimings.maxStalledCount` allows, rounded up. */
const suspectAfterStalls = 2;
const suspectDelayMs = 2_000;

/** What a worker does with a job of each queue. */
export function createJobHandlers(deps: JobHandlerDeps): Record<QueueName, Handler> {
  const { runner, reconciler, metrics, tracer, stopping } = deps;
  /** In a traced job, its log lines name the trace. */
  const toLogger = (fields: Record<string, unknown>): Logger => {
    const traceId = tracer.traceId();
    return deps.logger.child({ ...fields, ...(traceId && { traceId }) });
  };
  const stopSignal = (signal: AbortSignal | undefined) => (signal ? AbortSignal.any([stopping, signal]) : stopping);

  const handBack = async (job: Job, token: string | undefined): Promise<never> => {
    await job.moveToWait(token);
    throw new WaitingError('handed back: the worker is stopping');
  };

  /**
   * A job whose worker died twice may be why it died, or may only have been beside the one that was. Suspects run one at a
   * time, so that the culprit does not take the others with it until they, too, are given up.
   */
  let suspectRuns = false;
  const postpone = async (job: Job, token: string | undefined): Promise<never> => {
    await job.moveToDelayed(Date.now() + suspectDelayMs, token);
    throw new DelayedError('delayed until no other suspect runs');
  };

  const runStageJob: Handler = async (job, token, signal) => {
    const data = stageJobSchema.parse(job.data);
    const log = toLogger({ lectureId: data.lectureId, stage: data.stage, part: data.part, jobId: job.id });
    const isFinal = (error: AppError) =>
      !waitsForModel(job, error) && (!error.retryable || job.attemptsMade + 1 >= (job.opts.attempts ?? 1));
    const isSuspect = job.stalledCounter >= suspectAfterStalls;
    if (isSuspect && suspectRuns) await postpone(job, token);
    if (isSuspect) {
      suspectRuns = true;
      log.warn(
        { stalls: job.stalledCounter },
        'this job went down with its workers before: no other such job beside it',
      );
    }
    try {
      await runner.run(data, { isFinal, tries: job.attemptsMade + 1, signal: stopSignal(signal) });
      log.debug('job done');
    } catch (error) {
      if (stopping.aborted) await handBack(job, token);
      const appError = toAppError(error);
      log.warn({ code: appError.code, err: error, tries: job.attemptsMade + 1 }, 'job failed');
      if (waitsForModel(job, appError)) await waitForModel(job, token, appError);
      const reason = `${appError.code}: ${appError.message}`;
      if (appError.retryable) throw new Error(reason, { cause: error });
      throw Object.assign(new UnrecoverableError(reason), { cause: error });
    } finally {
      if (isSuspect) suspectRuns = false;
    }
  };

  let lastQuickMs = 0;
  /** What a short request costs the worker: where several run side by side, the time since the one before was done. */
  const recordQuickJob = (startMs: number): void => {
    const endMs = performance.now();
    const seconds = (endMs - Math.max(startMs, lastQuickMs)) / 1000;
    lastQuickMs = endMs;
    // Only an estimate depends on it.
    deps.pace.recordQuickJob(seconds).catch(() => {});
  };

  const runQuick: Handler = async (job, token, signal) => {
    const startMs = performance.now();
    const data = quickJobSchema.parse(job.data);
    const log = toLogger({ jobId: job.id });
    const result = await runQuickJob(deps.quick, data, stopSignal(signal));
    if (!result.ok && stopping.aborted) await handBack(job, token);
    if (!result.ok) log.warn({ kind: job.name, code: result.error.code }, 'quick job failed');
    if (result.ok && data.kind === 'transcribe') {
      log.info({ ...(result.value as TranscribeResponse).timings }, 'clip transcribed');
    }
    if (result.ok && job.name !== 'warmup') recordQuickJob(startMs);
    return result;
  };

  const runCallback: Handler = async (job, token, signal) => {
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    try {
      await deps.callbacks.run(callbackJobSchema.parse(job.data), { isLast, signal: stopSignal(signal) });
    } catch (error) {
      if (stopping.aborted) await handBack(job, token);
      throw error;
    }
  };

  const runMaintenance: Handler = async (job) => {
    if (job.name === 'collect') return await deps.collect();
    if (job.name === 'reindex') await reconciler.reindex({ all: job.data.all === true });
    await reconciler.reconcile();
    // Last: what waits to be done comes before what waits to be removed.
    if (job.name === 'reindex') await deps.collectTransients();
  };

  const measured = (name: QueueName, handler: Handler): Handler => {
    const handle = traceJobs(tracer, name, handler);
    return (job, token, signal) => {
      const waitedMs = (job.processedOn ?? Date.now()) - job.timestamp - (job.delay ?? 0);
      metrics.observeQueueWait(name, Math.max(0, waitedMs) / 1000);
      // BullMQ makes the signal only for a handler that names all three parameters.
      return handle(job, token, signal);
    };
  };

  return {
    ingest: measured('ingest', runStageJob),
    transcribe: measured('transcribe', runStageJob),
    study: measured('study', runStageJob),
    clips: measured('clips', runQuick),
    quick: measured('quick', runQuick),
    callbacks: measured('callbacks', runCallback),
    maintenance: measured('maintenance', runMaintenance),
  };
}

/** Since when (ms since 1970) the job has waited for a model; time spent in the queue before does not count. */
function waitingSinceMs(job: Job): number {
  return Number((job.data as { modelAwaitedSinceMs?: number }).modelAwaitedSinceMs ?? Date.now());
}

/** A model that cannot be loaded at the moment is no fault of the job: it waits and loses no try. */
function waitsForModel(job: Job, error: AppError): boolean {
  return error.code === 'model_loading' && Date.now() - waitingSinceMs(job) < modelPatienceMs;
}

async function waitForModel(job: Job, token: string | undefined, error: AppError): Promise<never> {
  await job.updateData({ ...job.data, modelAwaitedSinceMs: waitingSinceMs(job) });
  const waitMs = Number(error.details?.retryAfterSeconds ?? 5) * 1000;
  await job.moveToDelayed(Date.now() + waitMs, token);
  throw new DelayedError('delayed until the model is tried again');
}
