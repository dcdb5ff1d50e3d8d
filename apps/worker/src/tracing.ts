import { AppError } from '@studymate/contracts/errors';
import type { ModelFamily as FamilyName } from '@studymate/contracts/models';
import type { Lease, ModelFamily } from '@studymate/models/model-family';
import { type SpanAttributes, type Tracer, toSpanCode } from '@studymate/observability/tracer';
import { type QueueName, stageJobSchema, tracedJobSchema } from '@studymate/queue/job-catalogue';
import type { QuickResult } from '@studymate/queue/quick';
import { DelayedError, type Job, WaitingError } from 'bullmq';
import type { StudyProcess } from './study-process/study-process.ts';

type Handler = (job: Job, token?: string, signal?: AbortSignal) => Promise<unknown>;

/**
 * Spans of a job: how long it waited in its queue, and each of its runs, both below the span that added it. What a run
 * calls is below the run. Maintenance is not traced: nobody asked for it, and it comes every few seconds.
 */
export function traceJobs(tracer: Tracer, queue: QueueName, handle: Handler): Handler {
  if (!tracer.isOn || queue === 'maintenance') return handle;
  return (job, token, signal) => {
    const parent = tracedJobSchema.safeParse(job.data).data?.traceparent;
    const attributes = toJobAttributes(queue, job);
    // Later runs have waited for other reasons: a worker that died, or a pause after a failure.
    if (job.attemptsStarted === 1) {
      const takenAtMs = job.processedOn ?? Date.now();
      const startedAtMs = Math.min(takenAtMs, job.timestamp + (job.delay ?? 0));
      tracer.start(`queue ${queue}`, { parent, attributes, startedAtMs }).end(takenAtMs);
    }
    const span = tracer.start(`job ${job.name}`, { kind: 'consumer', parent, attributes });
    return tracer.run(span, async () => {
      try {
        const result = await handle(job, token, signal);
        if (isFailed(result)) span.fail(result.error.code);
        return result;
      } catch (error) {
        // It runs again, later or elsewhere, and nothing failed.
        if (error instanceof WaitingError || error instanceof DelayedError)
          span.setAttributes({ 'job.put_back': true });
        else span.fail(toSpanCode(toReason(error)));
        throw error;
      } finally {
        span.end();
      }
    });
  };
}

/** What BullMQ is told of a failed stage has the error itself as its cause. */
function toReason(error: unknown): unknown {
  return error instanceof Error && !(error instanceof AppError) && error.cause ? error.cause : error;
}

function toJobAttributes(queue: QueueName, job: Job): SpanAttributes {
  const { data } = stageJobSchema.safeParse(job.data);
  return {
    'messaging.system': 'bullmq',
    'messaging.destination.name': queue,
    'job.tries': job.attemptsMade + 1,
    ...(data && { 'lecture.id': data.lectureId, 'stage.part': data.part, 'stage.attempt': data.attempt }),
  };
}

/** Short requests have their errors as values. */
function isFailed(result: unknown): result is Extract<QuickResult, { ok: false }> {
  return (result as QuickResult | undefined)?.ok === false;
}

/** Spans of waiting for a load, and of each piece of work; below them, what the model process has told of itself. */
export function traceFamily(tracer: Tracer, name: FamilyName, family: ModelFamily): ModelFamily {
  if (!tracer.isOn) return family;
  const attributes = { 'model.family': name };
  const traceRuns = (lease: Lease): Lease => ({
    ...lease,
    run: (op, payload, options) =>
      tracer.span(`model ${op}`, { kind: 'client', attributes }, async () => {
        const result = await lease.run<never>(op, payload, options);
        const { startedAtMs, endedAtMs } = result.times;
        const inside = { kind: 'server', isOfModel: true, attributes, startedAtMs } as const;
        tracer.start(`inference ${op}`, inside).end(endedAtMs);
        return result;
      }),
  });
  return {
    ...family,
    async acquire(signal) {
      const startedAtMs = Date.now();
      const begin = () => tracer.start('model load', { kind: 'client', attributes, startedAtMs });
      try {
        const lease = await family.acquire(signal);
        if (lease.cold) {
          const span = begin();
          const { load } = lease;
          const inside = { kind: 'server', isOfModel: true, attributes } as const;
          if (load) {
            tracer.run(span, () =>
              tracer.start('load weights', { ...inside, startedAtMs: load.startedAtMs }).end(load.endedAtMs),
            );
          }
          span.end();
        }
        return traceRuns(lease);
      } catch (error) {
        const span = begin();
        span.fail(toSpanCode(error));
        span.end();
        throw error;
      }
    },
  };
}

/** Spans of what the study process is asked to do. */
export function traceStudyProcess(tracer: Tracer, study: StudyProcess): StudyProcess {
  if (!tracer.isOn) return study;
  return {
    ...study,
    run: (operation, input, signal) =>
      tracer.span(`study ${operation}`, { kind: 'client' }, () => study.run(operation, input, signal)),
  };
}
