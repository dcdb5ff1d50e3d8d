import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@studymate/contracts/errors';
import type { ModelFamily } from '@studymate/contracts/models';
import { reportEveryMs } from './model-fleet.ts';

/** How long there has been no worker for what somebody waits for. One for each who waits. */
export interface WorkerAbsence {
  /** Whether it has been so long that whoever waits is told. To be asked now and then: it counts from the first time on. */
  isOver(): Promise<boolean>;
  /** Waits until there is one. @throws AppError `no_worker` when it has been too long; `cancelled` */
  untilWorker(signal: AbortSignal): Promise<void>;
}

export interface AbsenceTimings {
  /** A worker may just be starting: whoever waits is told only after so long. */
  graceMs: number;
  lookAgainMs: number;
}

/**
 * A worker that is starting, or whose report Redis has lost, says within half of the grace that it is there. One that was
 * killed counts as there for three reports.
 */
export const defaultAbsenceTimings: AbsenceTimings = { graceMs: 2 * reportEveryMs, lookAgainMs: 2_000 };
const retryAfterSeconds = 10;

/** @param hasWorker whether one of the family lives; true while that cannot be told */
export function createWorkerAbsence(
  family: ModelFamily,
  hasWorker: (family: ModelFamily) => Promise<boolean>,
  { graceMs, lookAgainMs }: AbsenceTimings,
): WorkerAbsence {
  let sinceMs: number | null = null;
  const look = async (): Promise<'there' | 'absent' | 'over'> => {
    if (await hasWorker(family)) {
      sinceMs = null;
      return 'there';
    }
    const nowMs = performance.now();
    sinceMs ??= nowMs;
    return nowMs - sinceMs >= graceMs ? 'over' : 'absent';
  };
  return {
    isOver: async () => (await look()) === 'over',
    async untilWorker(signal) {
      while (!signal.aborted) {
        const found = await look();
        if (found === 'there') return;
        if (found === 'over') throw toNoWorker();
        await delay(lookAgainMs, undefined, { signal, ref: false }).catch(() => {});
      }
      throw new AppError('cancelled', 'The caller has gone.');
    },
  };
}

export function toNoWorker(): AppError {
  return new AppError('no_worker', 'No worker that could do this is running.', { details: { retryAfterSeconds } });
}
