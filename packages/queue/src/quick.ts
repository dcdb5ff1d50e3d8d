import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, fromPlainError, type PlainError } from '@studymate/contracts/errors';
import type { ModelFamily } from '@studymate/contracts/models';
import { type Job, type Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { type QuickJobData, queueFamilies, type ShortQueue, toShortQueue } from './job-catalogue.ts';
import type { Queues } from './queues.ts';
import { withRedis } from './redis.ts';
import { type AbsenceTimings, createWorkerAbsence, defaultAbsenceTimings, toNoWorker } from './worker-absence.ts';

/** What a quick job returns. Errors come as values, so that their codes survive the queue. */
export type QuickResult = { ok: true; value: unknown } | { ok: false; error: PlainError };

export interface QuickCalls {
  /**
   * Has a worker do a short piece of work and waits for the answer.
   * @param options.signal aborted when nobody waits any more. What no worker has begun with by then, or when the time
   *   is over, is not done at all, unless it is shared.
   * @param options.sharedId of work that others may ask for at the same time: equal ids are done once. It must change when
   *   what was asked for is there, as the answer is kept for a minute; an error is not. Without ":".
   * @throws AppError the worker's own error, `queue_unavailable`, `no_worker`, `timeout`, or `cancelled`
   */
  call(data: QuickJobData, options: { timeoutMs: number; signal?: AbortSignal; sharedId?: string }): Promise<unknown>;
  /** Waits a moment for a worker of a family, if there is none. @throws AppError `no_worker`, or `cancelled` */
  untilWorker(family: ModelFamily, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const listenAgainMs = 500;
/**
 * @param deps.eventsConnection a connection of its own, of kind `consumer`; a second one like it is made for the other of
 *   the two queues
 * @param deps.hasWorker whether one of the family lives; true while that cannot be told
 */
export function createQuickCalls(deps: {
  queues: Queues;
  eventsConnection: Redis;
  prefix: string;
  hasWorker(family: ModelFamily): Promise<boolean>;
  timings?: AbsenceTimings;
}): QuickCalls {
  const { eventsConnection, prefix, hasWorker, timings = defaultAbsenceTimings } = deps;
  /** Calls that wait for an answer, which may never come once the connection was lost. */
  const waiting = new Set<(reason: Error) => void>();
  const giveUp = (reason: Error) => {
    for (const reject of waiting) reject(reason);
  };
  const other = eventsConnection.duplicate();
  // The first one's are reported by its owner; where that is lost, this is.
  other.on('error', () => {});
  const listeners: Record<ShortQueue, AnswerListener> = {
    quick: listenForAnswers({ name: 'quick', connection: eventsConnection, prefix, onLost: giveUp }),
    clips: listenForAnswers({ name: 'clips', connection: other, prefix, onLost: giveUp }),
  };
  return {
    async call(data, { timeoutMs, signal, sharedId }) {
      const cancelled = () => new AppError('cancelled', 'The caller has gone.');
      if (signal?.aborted) throw cancelled();
      const job = await withRedis(() => deps.queues.addQuickJob(data, sharedId ?? randomUUID()));
      const name = toShortQueue(data);
      const queue = deps.queues.all().get(name) as Queue;
      const { events } = listeners[name];
      const absence = createWorkerAbsence(queueFamilies[name], hasWorker, timings);
      /** Whether it is given up because nobody is there to do it. */
      const isInVain = async (): Promise<boolean> => {
        if (!(await absence.isOver())) return false;
        if (sharedId !== undefined) return true;
        // Refused where a worker is at it.
        return job.remove().then(
          () => true,
          () => false,
        );
      };
      let result: QuickResult;
      let reject: (reason: Error) => void = () => {};
      const lost = new Promise<never>((_, fail) => {
        reject = fail;
      });
      waiting.add(reject);
      const leave = () => reject(cancelled());
      if (signal?.aborted) leave();
      signal?.addEventListener('abort', leave, { once: true });
      try {
        const ended = untilEnded({ job, queue, events, timeoutMs, lookAgainMs: timings.lookAgainMs, isInVain });
        result = (await Promise.race([ended, lost])) as QuickResult;
      } catch (error) {
        if (error instanceof AppError && error.code === 'no_worker') throw error;
        // One that a worker has begun with is locked, and stays.
        withRedis(async () => {
          if (sharedId === undefined || (await job.isFailed())) await job.remove();
        }).catch(() => {});
        if (signal?.aborted) throw cancelled();
        const timedOut = error instanceof Error && /timed out/i.test(error.message);
        if (timedOut) {
          throw new AppError('timeout', 'No worker answered in time.', {
            cause: error,
            details: { retryAfterSeconds: 5 },
          });
        }
        // The worker's own errors come as values: what is thrown here is the queue's.
        const details = { retryAfterSeconds: 2 };
        throw new AppError('queue_unavailable', 'The answer was lost on its way.', { cause: error, details });
      } finally {
        waiting.delete(reject);
        signal?.removeEventListener('abort', leave);
      }
      if (!result.ok) {
        // The next who asks is not to get the error of this one.
        if (sharedId !== undefined) await withRedis(() => job.remove()).catch(() => {});
        throw fromPlainError(result.error);
      }
      return result.value;
    },
    untilWorker: (family, signal) => createWorkerAbsence(family, hasWorker, timings).untilWorker(signal),
    async close() {
      giveUp(new Error('the queues are being closed'));
      await Promise.all(Object.values(listeners).map((listener) => listener.close()));
      other.disconnect();
    },
  };
}

/**
 * What a job returns, as its events tell, or its state if it has ended before anybody listened. BullMQ's own
 * `waitUntilFinished` looks once, and when the connection is lost meanwhile, it leaves a rejection behind that nobody can
 * handle, which ends the process.
 * @param of.lookAgainMs whoever begins to listen hears only what comes after that, and cannot know when it has begun
 * @param of.isInVain asked at each further look at which it is not done
 * @throws Error why it failed, that it is not there any more, or "timed out"; AppError `no_worker`
 */
async function untilEnded(of: {
  job: Job;
  queue: Queue;
  events: QueueEvents;
  timeoutMs: number;
  lookAgainMs: number;
  isInVain(): Promise<boolean>;
}): Promise<unknown> {
  const { job, queue, events, timeoutMs, lookAgainMs } = of;
  const id = String(job.id);
  const [completed, failed] = [`completed:${id}` as 'completed', `failed:${id}` as 'failed'];
  const over = new AbortController();
  let stop = () => {};
  const told = new Promise<unknown>((resolve, reject) => {
    const onCompleted = ({ returnvalue }: { returnvalue: unknown }) => resolve(returnvalue);
    const onFailed = ({ failedReason }: { failedReason: string }) => reject(new Error(failedReason));
    const timer = setTimeout(() => reject(new Error('timed out')), timeoutMs);
    events.on(completed, onCompleted).on(failed, onFailed);
    stop = () => {
      over.abort();
      clearTimeout(timer);
      events.off(completed, onCompleted).off(failed, onFailed);
    };
  });
  const look = async (): Promise<unknown> => {
    await events.waitUntilReady();
    let state = await job.getState();
    const isOpen = () => state !== 'completed' && state !== 'failed' && state !== 'unknown';
    while (isOpen()) {
      await delay(lookAgainMs, undefined, { signal: over.signal, ref: false });
      state = await job.getState();
      if (isOpen() && (await of.isInVain())) throw toNoWorker();
    }
    const ended = await queue.getJob(id);
    if (!ended) throw new Error('the job is not there any more');
    if (state === 'failed') throw new Error(ended.failedReason);
    return ended.returnvalue;
  };
  try {
    return await Promise.race([told, look()]);
  } finally {
    stop();
  }
}

interface AnswerListener {
  events: QueueEvents;
  close(): Promise<void>;
}

/** Hears what becomes of the jobs of a queue. @param deps.onLost told when answers may have been missed */
function listenForAnswers(deps: {
  name: ShortQueue;
  connection: Redis;
  prefix: string;
  onLost(reason: Error): void;
}): AnswerListener {
  const { name, connection, prefix, onLost } = deps;
  const events = new QueueEvents(name, { connection, prefix, autorun: false });
  connection.on('close', () => onLost(new Error('the connection to Redis was lost')));
  // BullMQ waits out a lost connection, but ends listening at any other error, such as the one with which a Redis that
  // becomes a replica ends a blocking read.
  let isClosed = false;
  const listen = async (): Promise<void> => {
    while (!isClosed) {
      await events.run().catch(onLost);
      if (!isClosed) await delay(listenAgainMs, undefined, { ref: false });
    }
  };
  listen();
  // The connection's owner reports its errors.
  events.on('error', () => {});
  // Every request that waits adds its listeners.
  events.setMaxListeners(0);
  return {
    events,
    close() {
      isClosed = true;
      return events.close();
    },
  };
}
