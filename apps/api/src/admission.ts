import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { ActiveLecture, ActiveLectures } from '@studymate/queue/active';
import type { Pace } from '@studymate/queue/backlog';
import { type Backlog, defaultBacklog, toFreeSeconds } from '@studymate/queue/estimate';
import type { OwnerSlots } from '@studymate/queue/owner-slots';
import type { Queues } from '@studymate/queue/queues';
import { withRedis } from '@studymate/queue/redis';
import { anonymousOwner } from './auth/owner.ts';
import type { Breakers } from './breakers/breakers.ts';
import type { Submitter } from './lectures/submit.ts';

/** Refuses work that would only wait, before anything of its request is read. */
export interface Admission {
  /**
   * Takes an upload while there is room for another unfinished lecture. Also while Redis is away: by what was known
   * last, and by what waits for Redis in this process.
   * @throws AppError `too_many_lectures` with an estimate of when there will be room; what `work` throws
   */
  lecture<T>(owner: string, work: () => Promise<T>): Promise<T>;
  /** Takes a short request. @throws AppError as `takeQuick`; what `work` throws */
  quick<T>(owner: string, work: () => Promise<T>): Promise<T>;
  /**
   * The same for work that is no promise.
   * @returns what is to be called at its end
   * @throws AppError `queue_full` with an estimate, `queue_unavailable`
   */
  takeQuick(owner: string): Promise<() => void>;
}

const timeoutMs = 500;
/** While nothing is known of the workers. */
const defaultRetrySeconds = 30;

export function createAdmission(deps: {
  limits: Pick<
    Config['limits'],
    'maxActiveLectures' | 'maxActiveLecturesPerOwner' | 'maxWaitingRequests' | 'maxWaitingRequestsPerOwner'
  >;
  active: Pick<ActiveLectures, 'read'>;
  pace: Pick<Pace, 'readBacklog'>;
  queues: Pick<Queues, 'countShort'>;
  submitter: Pick<Submitter, 'countWaiting'>;
  ownerSlots: OwnerSlots;
  breakers: { queue: Pick<Breakers['queue'], 'run'> };
}): Admission {
  const { limits, active, pace, queues, submitter, ownerSlots, breakers } = deps;
  /** Uploads that are coming in, by owner: each will be a lecture, unless it fails. */
  const receiving = new Map<string, number>();
  /** Short requests of this process, from the first byte to the answer; those of others are known once queued. */
  let quickHere = 0;
  let known: ActiveLecture[] = [];

  const count = (owner?: string): number => {
    const lectures = owner === undefined ? known.length : known.filter((lecture) => lecture.owner === owner).length;
    const uploads = owner === undefined ? sum(receiving.values()) : (receiving.get(owner) ?? 0);
    return lectures + uploads + submitter.countWaiting(owner);
  };
  const readBacklog = (): Promise<Backlog> =>
    withRedis(() => pace.readBacklog(), timeoutMs).catch(() => defaultBacklog);

  const refuseLecture = async (message: string, limit: number, owner?: string): Promise<never> => {
    // The backlog may be a second old, and not have the very lecture for which there is no room.
    const backlog = { ...(await readBacklog()), lectures: known };
    throw tooMany('too_many_lectures', message, limit, toFreeSeconds(backlog, owner));
  };

  const refuseQuick = async (message: string, limit: number): Promise<never> => {
    const { workers, quickSeconds } = await readBacklog();
    throw tooMany('queue_full', message, limit, workers ? quickSeconds / workers : null);
  };

  /** The anonymous owner is everybody: for them the limit of all counts. */
  const takeSlot = async (owner: string): Promise<(() => Promise<void>) | null> => {
    const limit = limits.maxWaitingRequestsPerOwner;
    if (limit === null || owner === anonymousOwner) return null;
    const giveBack = await breakers.queue.run(() => ownerSlots.take(owner, limit));
    return giveBack ?? refuseQuick(`You have ${limit} short requests waiting already; try again soon.`, limit);
  };

  const takeQuick: Admission['takeQuick'] = async (owner) => {
    // Asked for without a limit, too: it refuses at once while Redis is away. One that takes no writes can still count.
    const open = await breakers.queue.run(() => withRedis(() => queues.countShort()), { isProof: false });
    const limit = limits.maxWaitingRequests;
    if (limit !== null && Math.max(open, quickHere) >= limit) {
      return refuseQuick('Too many short requests wait already; try again soon.', limit);
    }
    const giveBack = await takeSlot(owner);
    quickHere++;
    return () => {
      quickHere--;
      // Should Redis be away, the slot comes back by itself.
      if (giveBack) withRedis(giveBack).catch(() => {});
    };
  };

  return {
    async lecture(owner, work) {
      const { maxActiveLectures, maxActiveLecturesPerOwner } = limits;
      if (maxActiveLectures !== null || maxActiveLecturesPerOwner !== null) {
        known = await withRedis(() => active.read(), timeoutMs).catch(() => known);
      }
      // The owner's own limit first: it is the one about which the caller can do something.
      if (maxActiveLecturesPerOwner !== null && count(owner) >= maxActiveLecturesPerOwner) {
        const message = `You have ${maxActiveLecturesPerOwner} unfinished lectures already; wait until one has ended.`;
        return refuseLecture(message, maxActiveLecturesPerOwner, owner);
      }
      if (maxActiveLectures !== null && count() >= maxActiveLectures) {
        return refuseLecture('Too many lectures wait already; try again later.', maxActiveLectures);
      }
      receiving.set(owner, (receiving.get(owner) ?? 0) + 1);
      try {
        return await work();
      } finally {
        const left = (receiving.get(owner) ?? 1) - 1;
        if (left > 0) receiving.set(owner, left);
        else receiving.delete(owner);
      }
    },

    async quick(owner, work) {
      const leave = await takeQuick(owner);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    takeQuick,
  };
}

function tooMany(code: 'too_many_lectures' | 'queue_full', message: string, limit: number, etaSeconds: number | null) {
  const retryAfterSeconds = Math.max(1, Math.ceil(etaSeconds ?? defaultRetrySeconds));
  return new AppError(code, message, { details: { limit, etaSeconds, retryAfterSeconds } });
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
