import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueuedLecture } from './active.ts';
import { createFairShares, type TaggedJob } from './fair-share.ts';
import {
  type CallbackJobData,
  callbackBackoff,
  callbackTries,
  comesFirst,
  type QueueName,
  type QuickJobData,
  queueNames,
  type ShortQueue,
  type StageJobData,
  shortQueues,
  stageJobs,
  toShortQueue,
} from './job-catalogue.ts';
import { createKeys } from './keys.ts';
import { type JobSpec, toJobId } from './next-jobs.ts';
import { toCostSeconds } from './work.ts';

export interface Queues {
  /** Adds a lecture's jobs under their own ids, in their owner's fair share; adding one again is a no-op. */
  addStageJobs(record: QueuedLecture, specs: readonly JobSpec[]): Promise<void>;
  /** Takes jobs out of the queues that nobody has begun with. @returns how many there were */
  removeStageJobs(record: QueuedLecture, specs: readonly JobSpec[]): Promise<number>;
  addQuickJob(data: QuickJobData, jobId: string): Promise<Job>;
  /** Under an id of its own; adding one again is a no-op. */
  addCallbackJob(data: CallbackJobData): Promise<void>;
  findStageJob(spec: JobSpec): Promise<Job | undefined>;
  /** Those of the jobs that have ended in the queue, as done or as failed; asked for in one round trip. */
  findEndedJobs(specs: readonly JobSpec[]): Promise<{ spec: JobSpec; job: Job; hasFailed: boolean }[]>;
  /** Jobs of a queue that are not finished: waiting, delayed, or being worked on. */
  countOpen(name: QueueName): Promise<number>;
  /** Short requests that have no answer yet. */
  countShort(): Promise<number>;
  /** Workers, on any machine, that take lectures and hold a connection to Redis. @param name those that take its jobs */
  countWorkers(name?: QueueName): Promise<number>;
  all(): ReadonlyMap<QueueName, Queue>;
  close(): Promise<void>;
}

/** Finished jobs are kept for a while so that they can be looked at; what must last is in the store. */
const keepCompleted = { count: 1_000, age: 3_600 };
/** Enough for every answer that is on its way; BullMQ keeps 10,000 events otherwise. */
const maxQuickEvents = 500;
const quickEventsTtlSeconds = 600;
const keepFailed = { count: 5_000, age: 7 * 86_400 };

/**
 * @param deps.redis a connection of kind `producer` for the API, `consumer` for a worker
 * @param deps.traceparent of what is being done, for the spans of the jobs that it adds; undefined where nothing is traced
 */
export function createQueues(deps: { redis: Redis; prefix: string; traceparent?: () => string | undefined }): Queues {
  const queues = new Map<QueueName, Queue>();
  for (const name of queueNames) {
    const queue = new Queue(name, {
      connection: deps.redis,
      prefix: deps.prefix,
      skipWaitingForReady: true,
      // The check is a command; a queue made while Redis is away would fail it and then never work again.
      skipVersionCheck: true,
      ...(isShort(name) && { streams: { events: { maxLen: maxQuickEvents } } }),
    });
    // Connection errors are reported by the connection's owner; a queue without a listener would throw them.
    queue.on('error', () => {});
    queues.set(name, queue);
  }
  const queue = (name: QueueName): Queue => {
    const found = queues.get(name);
    if (!found) throw new Error(`no queue is named ${name}`);
    return found;
  };

  /** Beside a job's own data: its id does not depend on it, and a job that is there keeps that of who added it. */
  const traced = <D extends object>(data: D): D => {
    const traceparent = deps.traceparent?.();
    return traceparent === undefined ? data : { ...data, traceparent };
  };

  const shares = createFairShares({ redis: deps.redis, keys: createKeys(deps.prefix), prefix: deps.prefix });
  const toTagged = (record: QueuedLecture, spec: JobSpec): TaggedJob => ({
    jobId: toJobId(spec),
    comesFirst: comesFirst(spec),
    costSeconds: toCostSeconds(spec, record),
  });
  const eachQueue = async <T>(
    specs: readonly JobSpec[],
    work: (name: QueueName, its: readonly JobSpec[]) => Promise<T>,
  ): Promise<T[]> => {
    const names = new Set(specs.map((spec) => stageJobs[spec.stage].queue));
    return Promise.all(
      [...names].map((name) =>
        work(
          name,
          specs.filter((spec) => stageJobs[spec.stage].queue === name),
        ),
      ),
    );
  };

  const countOpen = (name: QueueName): Promise<number> =>
    queue(name).getJobCountByTypes('waiting', 'prioritized', 'delayed', 'active');

  return {
    async addStageJobs(record, specs) {
      await eachQueue(specs, async (name, its) => {
        const priorities = await shares.tag(
          name,
          record.owner,
          its.map((spec) => toTagged(record, spec)),
        );
        const jobs = its.flatMap((spec, i) => {
          const priority = priorities[i];
          if (priority === null || priority === undefined) return [];
          const data: StageJobData = { ...spec };
          const opts = {
            jobId: toJobId(spec),
            attempts: stageJobs[spec.stage].tries,
            backoff: { type: 'exponential', delay: 1_000 },
            priority,
            removeOnComplete: keepCompleted,
            removeOnFail: keepFailed,
          };
          return { name: spec.stage, data: traced(data), opts };
        });
        if (jobs.length > 0) await queue(name).addBulk(jobs);
      });
    },
    async removeStageJobs(record, specs) {
      const counts = await eachQueue(specs, async (name, its) => {
        // One that is being worked on is locked, and stays.
        const removed = await Promise.all(its.map((spec) => queue(name).remove(toJobId(spec))));
        const gone = its.filter((_, i) => removed[i] === 1);
        if (gone.length > 0) {
          await shares.giveBack(
            name,
            record.owner,
            gone.map((spec) => toTagged(record, spec)),
          );
        }
        return gone.length;
      });
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async addQuickJob(data, jobId) {
      // Nobody awaits a warm-up, and its id must be free for the next.
      const isWarmup = data.kind === 'warmup';
      const name = toShortQueue(data);
      const job = await queue(name).add(data.kind, traced(data), {
        jobId,
        // The answer is of use only to the request that waits for it.
        removeOnComplete: isWarmup ? true : { age: 60, count: 100 },
        removeOnFail: isWarmup ? true : { age: 600, count: 100 },
      });
      // The events carry the answers, which are somebody's own text: they do not stay.
      await deps.redis.expire(`${deps.prefix}:${name}:events`, quickEventsTtlSeconds);
      return job;
    },
    async addCallbackJob(data) {
      await queue('callbacks').add('callback', traced(data), {
        jobId: `callback-${data.lectureId}-${data.mark}`,
        attempts: callbackTries,
        backoff: callbackBackoff,
        removeOnComplete: keepCompleted,
        // What became of it is noted in the store. One that failed without a note must not keep its id taken.
        removeOnFail: true,
      });
    },
    async findEndedJobs(specs) {
      const scores = deps.redis.pipeline();
      for (const spec of specs) {
        const its = queue(stageJobs[spec.stage].queue);
        scores.zscore(its.toKey('failed'), toJobId(spec)).zscore(its.toKey('completed'), toJobId(spec));
      }
      const replies = (await scores.exec()) ?? [];
      const isThere = (i: number) => typeof replies[i]?.[1] === 'string';
      const ended = specs.flatMap((spec, i) => {
        const hasFailed = isThere(2 * i);
        return hasFailed || isThere(2 * i + 1) ? [{ spec, hasFailed }] : [];
      });
      const found = await Promise.all(
        ended.map(async ({ spec, hasFailed }) => {
          const job = await queue(stageJobs[spec.stage].queue).getJob(toJobId(spec));
          return job ? [{ spec, job, hasFailed }] : [];
        }),
      );
      return found.flat();
    },
    findStageJob: (spec) => queue(stageJobs[spec.stage].queue).getJob(toJobId(spec)),
    countOpen,
    countShort: async () => (await Promise.all(shortQueues.map(countOpen))).reduce((sum, count) => sum + count, 0),
    countWorkers: (name = 'transcribe') => queue(name).getWorkersCount(),
    all: () => queues,
    async close() {
      await Promise.all([...queues.values()].map((q) => q.close()));
    },
  };
}

function isShort(name: QueueName): name is ShortQueue {
  return (shortQueues as readonly QueueName[]).includes(name);
}
