import type { Queue } from 'bullmq';

export interface Maintenance {
  /** Sees to it that the recurring jobs exist, now and from time to time. */
  start(): Promise<void>;
  stop(): void;
}

const reconcileEveryMs = 10_000;
/** How often each is done, in milliseconds. */
const recurring = { reconcile: reconcileEveryMs, reindex: 300_000, collect: 3_600_000 };
/** How soon a loss of Redis's data is seen; one command a worker. */
const checkEveryMs = 5_000;
/** The outcome of these jobs is of no interest later. */
const opts = { removeOnComplete: { count: 10 }, removeOnFail: { count: 100 } };

/**
 * The recurring jobs live in Redis like all others. When Redis has lost its data they are gone with it, so each
 * worker looks for them by its own clock; where they are missing, what else was lost is rebuilt from the store.
 */
export function createMaintenance(deps: { queue: Queue; onError(error: unknown): void }): Maintenance {
  const { queue } = deps;
  let timer: NodeJS.Timeout | undefined;

  const isRunning = async (): Promise<boolean> => {
    const scheduler = await queue.getJobScheduler('reconcile');
    // Planned by a clock that has been set back since: nobody would look after anything until it is that late again.
    return scheduler !== undefined && (scheduler.next ?? 0) <= Date.now() + 3 * reconcileEveryMs;
  };

  const ensure = async (): Promise<void> => {
    const isThere = await isRunning();
    for (const [name, every] of Object.entries(recurring)) {
      // An existing one keeps its plan otherwise.
      if (!isThere) await queue.removeJobScheduler(name);
      await queue.upsertJobScheduler(name, { every }, { name, opts });
    }
    if (!isThere) await queue.add('reindex', { all: true }, { jobId: `reindex-${Date.now()}`, ...opts });
  };

  return {
    async start() {
      await ensure();
      timer = setInterval(() => {
        isRunning()
          .then((isThere) => (isThere ? undefined : ensure()))
          .catch(deps.onError);
      }, checkEveryMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
