import { setTimeout as delay } from 'node:timers/promises';
import type { ModelFamily } from '@studymate/contracts/models';
import type { ModelFleet } from '@studymate/queue/model-fleet';
import { withRedis } from '@studymate/queue/redis';

/** Which weights the workers have: what was made by others is not given for theirs. And whether there are any workers. */
export interface ModelNames {
  /**
   * @returns the names of all workers' weights; what was known last while there is no worker, or no answer from Redis; empty
   *   when nothing was ever known
   */
  read(family: ModelFamily): Promise<string>;
  /** Whether a worker for the family has said that it is there, within the last 15 s; true while that cannot be told. */
  hasWorker(family: ModelFamily): Promise<boolean>;
}

/** A worker with other weights starts seldom, and says so within seconds. */
const knownMs = 2_000;
const timeoutMs = 500;
/** Where a name is known, a request waits no longer than this for a newer one. */
const briefMs = 100;
/** Not each request shall wait for a Redis that has just not answered. */
const restMs = 5_000;

export function createModelNames(deps: { fleet: Pick<ModelFleet, 'read'>; now?: () => number }): ModelNames {
  const { fleet, now = () => performance.now() } = deps;
  const known = new Map<ModelFamily, string>();
  const counts = new Map<ModelFamily, number>();
  let asked: Promise<void> | undefined;
  let askAgainMs = Number.NEGATIVE_INFINITY;
  const ask = async () => {
    try {
      // The last worker takes its report with it. What it made is as good as before, and now more needed than ever.
      for (const { family, weights, workers } of await withRedis(() => fleet.read(), timeoutMs)) {
        counts.set(family, workers);
        if (weights) known.set(family, weights);
      }
    } catch {
      counts.clear();
      askAgainMs = now() + restMs;
    }
    asked = undefined;
  };
  const refresh = async (family: ModelFamily): Promise<void> => {
    if (!asked && now() >= askAgainMs) {
      askAgainMs = now() + knownMs;
      asked = ask();
    }
    if (asked) await (known.has(family) ? Promise.race([asked, delay(briefMs, undefined, { ref: false })]) : asked);
  };
  return {
    async read(family) {
      await refresh(family);
      return known.get(family) ?? '';
    },
    async hasWorker(family) {
      await refresh(family);
      return counts.get(family) !== 0;
    },
  };
}
