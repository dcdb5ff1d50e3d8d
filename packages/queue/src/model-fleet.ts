import {
  type ModelFamily,
  type ModelReport,
  type ModelState,
  type ModelStatus,
  modelFamilies,
  modelReportSchema,
} from '@studymate/contracts/models';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Keys } from './keys.ts';

/** What the models of all workers are doing. Each worker reports its own; a report that is not renewed expires. */
export interface ModelFleet {
  /** Replaces what this worker said before. To be called on every change, and every `reportEveryMs`. */
  report(workerId: string, reports: readonly ModelReport[]): Promise<void>;
  /** A worker that stops takes its report with it. */
  withdraw(workerId: string): Promise<void>;
  /** Seconds that a load has just taken, for the estimate of the next. */
  recordLoad(family: ModelFamily, seconds: number): Promise<void>;
  /** One status a family, all families. */
  read(): Promise<ModelStatus[]>;
}

export const reportEveryMs = 5_000;
/** Three reports may be late before a worker counts as gone; Redis counts, so clocks need not agree. */
const reportTtlMs = 3 * reportEveryMs;
/** The median of so few follows soon when the model or the machine is another one, and one slow disk does not count. */
const loadsKept = 5;
/** Until a load has been measured: with a cold page cache on two cores, rounded up. */
const assumedLoadSeconds: Record<ModelFamily, number> = { speech: 2, text: 1.5 };
/** What counts more, when workers are in several states. */
const stateOrder: readonly ModelState[] = ['ready', 'loading', 'failed', 'unloaded'];

export function createModelFleet(deps: { redis: Redis; keys: Keys }): ModelFleet {
  const { redis, keys } = deps;

  const readReports = async (): Promise<ModelReport[]> => {
    const workerIds = await redis.smembers(keys.modelWorkers);
    if (workerIds.length === 0) return [];
    const texts = await redis.mget(workerIds.map(keys.modelReport));
    const gone = workerIds.filter((_, i) => texts[i] === null);
    if (gone.length > 0) await redis.srem(keys.modelWorkers, ...gone);
    return texts.flatMap((text) => (text ? parseReports(text) : []));
  };

  return {
    async report(workerId, reports) {
      await redis
        .multi()
        .set(keys.modelReport(workerId), JSON.stringify(reports), 'PX', reportTtlMs)
        .sadd(keys.modelWorkers, workerId)
        .exec();
    },
    async withdraw(workerId) {
      await redis.multi().del(keys.modelReport(workerId)).srem(keys.modelWorkers, workerId).exec();
    },
    async recordLoad(family, seconds) {
      const key = keys.modelLoads(family);
      await redis
        .multi()
        .lpush(key, seconds)
        .ltrim(key, 0, loadsKept - 1)
        .exec();
    },
    async read() {
      const [reports, ...loads] = await Promise.all([
        readReports(),
        ...modelFamilies.map((family) => redis.lrange(keys.modelLoads(family), 0, loadsKept - 1)),
      ]);
      return modelFamilies.map((family, i) =>
        toModelStatus(
          family,
          reports.filter((report) => report.family === family),
          (loads[i] ?? []).map(Number),
        ),
      );
    },
  };
}

/** @param reports one of each worker that lives @param loads seconds of the last loads, in any order */
export function toModelStatus(
  family: ModelFamily,
  reports: readonly ModelReport[],
  loads: readonly number[],
): ModelStatus {
  const state = stateOrder.find((each) => reports.some((report) => report.state === each)) ?? 'unloaded';
  // ISO dates of one form sort as texts.
  const inState = reports.filter((report) => report.state === state).sort((a, b) => (a.since < b.since ? -1 : 1));
  const download = reports.find((report) => report.download)?.download;
  const weights = [...new Set(reports.flatMap(({ weights }) => weights ?? []))].sort().join(', ');
  const memory = reports.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    family,
    state,
    since: inState[0]?.since ?? null,
    lastLoadSeconds: inState[0]?.lastLoadSeconds ?? loads[0] ?? null,
    expectedLoadSeconds: median(loads) ?? assumedLoadSeconds[family],
    memoryBytes: memory.length > 0 ? memory.reduce((sum, bytes) => sum + bytes, 0) : null,
    openWork: reports.reduce((sum, report) => sum + report.openWork, 0),
    failureCode: reports.find(({ failureCode }) => failureCode !== null)?.failureCode ?? null,
    workers: reports.length,
    readyWorkers: reports.filter((report) => report.state === 'ready').length,
    ...(weights !== '' && { weights }),
    ...(download && { download }),
  };
}

/** What a worker of another version has written in another form does not count. */
function parseReports(text: string): ModelReport[] {
  const parsed = z.array(modelReportSchema).safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : [];
}

function median(values: readonly number[]): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
