import { type StoredEvent, type StreamEvent, streamEventSchema } from '@studymate/queue/events';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import { createKeys } from '@studymate/queue/keys';
import { createQueues } from '@studymate/queue/queues';
import { createRedis } from '@studymate/queue/redis';
import { until } from '../support/until.ts';

/** The default of QUEUE_PREFIX. */
const prefix = '{sm}';

export interface Moment {
  /** The newest event. */
  id: string;
  /** How far each stage was said to be. */
  furthest: Map<string, number>;
}

export interface KnownJob {
  id: string;
  state: string;
  /** How often it was finished or failed. */
  tries: number;
  /** How often its worker was taken for dead. */
  stalls: number;
}

const jobStates = ['active', 'waiting', 'prioritized', 'delayed', 'failed', 'completed'] as const;

/** Looks at the system's Redis from outside, beside the processes that are tested. */
export interface Observer {
  /** A moment in a lecture's events: after everything that has been published so far. */
  now(lectureId: string): Promise<Moment>;
  /** Waits for the first progress published after that moment: text, a stage that is further than it was, the end. */
  untilProgressAfter(lectureId: string, moment: Moment, timeoutMs: number): Promise<void>;
  events(lectureId: string): Promise<StreamEvent[]>;
  /** Ids on the list of unfinished lectures. */
  listActive(): Promise<string[]>;
  flushAll(): Promise<void>;
  /** The stage jobs of these lectures that the queue still knows, finished ones included. */
  listJobs(lectureIds: Iterable<string>): Promise<KnownJob[]>;
  close(): Promise<void>;
}

export function createObserver(redisUrl: string): Observer {
  // While Redis is away it waits, as a worker does.
  const redis = createRedis({ url: redisUrl, kind: 'consumer', onError: () => {} });
  const keys = createKeys(prefix);
  const queues = createQueues({ redis, prefix });
  const read = async (lectureId: string): Promise<StoredEvent[]> => {
    const entries = await redis.xrange(keys.events(lectureId), '-', '+');
    return entries.map(([id, fields]) => ({ id, event: streamEventSchema.parse(JSON.parse(fields[1] ?? 'null')) }));
  };
  return {
    async now(lectureId) {
      const furthest = new Map<string, number>();
      for (const { event } of await read(lectureId)) isProgress(event, furthest);
      const [newest] = await redis.xrevrange(keys.events(lectureId), '+', '-', 'COUNT', 1);
      return { id: newest?.[0] ?? '0-0', furthest };
    },
    async untilProgressAfter(lectureId, moment, timeoutMs) {
      const { id, furthest } = moment;
      const look = async () =>
        (await read(lectureId)).some((stored) => isAfter(stored.id, id) && isProgress(stored.event, furthest));
      await until(`progress of lecture ${lectureId}`, look, { timeoutMs, everyMs: 10 });
    },
    async events(lectureId) {
      return (await read(lectureId)).map(({ event }) => event);
    },
    listActive: () => redis.zrange(keys.active, '0', '-1'),
    async flushAll() {
      await redis.flushall();
    },
    async listJobs(lectureIds) {
      const wanted = new Set(lectureIds);
      const found: KnownJob[] = [];
      for (const name of ['ingest', 'transcribe', 'study'] as const) {
        for (const state of jobStates) {
          for (const job of (await queues.all().get(name)?.getJobs([state])) ?? []) {
            if (!wanted.has((job?.data as StageJobData | undefined)?.lectureId ?? '')) continue;
            found.push({ id: String(job.id), state, tries: job.attemptsMade, stalls: job.stalledCounter });
          }
        }
      }
      return found;
    },
    async close() {
      await queues.close();
      redis.disconnect();
    },
  };
}

/** Whether an event tells of more than was known, which is kept. A run that begins again at the same place is none. */
function isProgress(event: StreamEvent, furthest: Map<string, number>): boolean {
  if (event.type === 'segments' || event.type === 'end') return true;
  if (event.type !== 'stage') return false;
  const { name, status, progress } = event.stage;
  // Done is more than all of it.
  const reached = status === 'done' ? 2 : progress;
  if (reached <= (furthest.get(name) ?? -1)) return false;
  furthest.set(name, reached);
  return true;
}

function isAfter(id: string, other: string): boolean {
  const [[time = 0, count = 0], [otherTime = 0, otherCount = 0]] = [id, other].map((each) =>
    each.split('-').map(Number),
  ) as [number[], number[]];
  return time > otherTime || (time === otherTime && count > otherCount);
}
