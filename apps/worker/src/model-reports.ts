import type { ModelReport } from '@studymate/contracts/models';
import { type ModelFleet, reportEveryMs } from '@studymate/queue/model-fleet';
import type { Redis } from 'ioredis';

/** Tells the fleet what this worker's models are doing: at every change, and from time to time as a sign of life. */
export interface ModelReports {
  start(): void;
  /** To be called whenever a model has changed its state. */
  send(): void;
  stop(): Promise<void>;
}

export function createModelReports(deps: {
  fleet: ModelFleet;
  redis: Redis;
  workerId: string;
  read: () => Promise<ModelReport[]>;
  onError: (error: unknown) => void;
}): ModelReports {
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    // While Redis is away commands would pile up, and say later what is no longer so.
    if (timer === undefined || deps.redis.status !== 'ready') return;
    deps
      .read()
      .then(async (reports) => {
        if (timer !== undefined && deps.redis.status === 'ready') await deps.fleet.report(deps.workerId, reports);
      })
      .catch(deps.onError);
  };
  return {
    start() {
      clearInterval(timer);
      timer = setInterval(send, reportEveryMs);
      timer.unref();
      send();
    },
    send,
    async stop() {
      clearInterval(timer);
      timer = undefined;
      if (deps.redis.status === 'ready') await deps.fleet.withdraw(deps.workerId).catch(deps.onError);
    },
  };
}
