import type { ModelFamily } from '@studymate/contracts/models';
import type { Redis } from 'ioredis';
import type { ActiveLectures } from './active.ts';
import { type Backlog, defaultBacklog } from './estimate.ts';
import type { Keys } from './keys.ts';
import type { ModelFleet } from './model-fleet.ts';
import type { Queues } from './queues.ts';

/**
 * Sound after which what was measured before counts for 1/e. A single window, the first one of a cold model above all, says
 * little of the pace.
 */
const paceMemorySeconds = 300;
/** A short request counts for this much of the running average. */
const quickSmoothing = 0.2;
/** Every page that polls and every step of progress asks for it; it costs several commands and changes slowly. */
const backlogTtlMs = 1_000;

export interface Pace {
  /**
   * Called by a worker that begins with a chunk; what it returns, when the chunk is done. Of chunks that run side by side
   * each counts the time since the one before was done: together, the time that all of them took.
   */
  beginChunk(): (audioSeconds: number) => Promise<void>;
  /** Called by workers after a short request. */
  recordQuickJob(workSeconds: number): Promise<void>;
  /** As it was at most a second ago. */
  readBacklog(): Promise<Backlog>;
}

/** KEYS: pace. ARGV: field, measured value, its share of the average, what is assumed before anything is measured. */
const averageScript = `
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[4])
local after = before + tonumber(ARGV[3]) * (tonumber(ARGV[2]) - before)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.9f', after))
`;

/** How quick the workers are and what waits for them: the numbers behind every estimate. */
export function createPace(deps: {
  redis: Redis;
  keys: Keys;
  queues: Pick<Queues, 'countShort' | 'countWorkers'>;
  active: Pick<ActiveLectures, 'read'>;
  fleet: Pick<ModelFleet, 'read'>;
}): Pace {
  const { redis, keys, queues, active, fleet } = deps;
  let lastChunkMs = 0;
  let latest: { promise: Promise<Backlog>; atMs: number } | undefined;

  const record = async (field: 'realTimeFactor' | 'quickSeconds', measured: number, share: number): Promise<void> => {
    await redis.eval(averageScript, 1, keys.pace, field, measured, share, defaultBacklog[field]);
  };
  const measure = async (): Promise<Backlog> => {
    const [pace, models, lectures, quickJobs, workers] = await Promise.all([
      redis.hgetall(keys.pace),
      fleet.read(),
      active.read(),
      queues.countShort(),
      queues.countWorkers(),
    ]);
    const loadSeconds: Record<ModelFamily, number> = { speech: 0, text: 0 };
    for (const { family, state, expectedLoadSeconds } of models) {
      loadSeconds[family] = state === 'ready' ? 0 : expectedLoadSeconds;
    }
    return {
      lectures,
      workers,
      realTimeFactor: Number(pace.realTimeFactor ?? defaultBacklog.realTimeFactor),
      loadSeconds,
      quickJobs,
      quickSeconds: Number(pace.quickSeconds ?? defaultBacklog.quickSeconds),
    };
  };

  return {
    beginChunk() {
      const startMs = performance.now();
      return async (audioSeconds) => {
        const endMs = performance.now();
        const workSeconds = (endMs - Math.max(startMs, lastChunkMs)) / 1_000;
        lastChunkMs = endMs;
        const share = 1 - Math.exp(-audioSeconds / paceMemorySeconds);
        if (audioSeconds > 0) await record('realTimeFactor', workSeconds / audioSeconds, share);
      };
    },
    recordQuickJob: (workSeconds) => record('quickSeconds', workSeconds, quickSmoothing),
    readBacklog() {
      const nowMs = performance.now();
      if (!latest || nowMs - latest.atMs > backlogTtlMs) {
        const fresh = { promise: measure(), atMs: nowMs };
        latest = fresh;
        // A failure is not what the next one gets.
        fresh.promise.catch(() => {
          if (latest === fresh) latest = undefined;
        });
      }
      return latest.promise;
    },
  };
}
