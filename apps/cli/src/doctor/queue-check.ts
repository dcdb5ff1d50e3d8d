import type { ModelStatus } from '@studymate/contracts/models';
import type { FailedJobs } from '@studymate/queue/failed';
import { type QueueName, queueNames } from '@studymate/queue/job-catalogue';
import type { ModelFleet } from '@studymate/queue/model-fleet';
import { nextJobs } from '@studymate/queue/next-jobs';
import type { Queues } from '@studymate/queue/queues';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { type Finding, toSize } from './check.ts';

/** As the alert QueueDeep has it. */
const deepQueue = 500;
/** A worker looks after its recurring jobs and its lectures at least so often; a job that is missing for longer is lost. */
const settleMs = 3_000;
/** So many of the newest lectures are looked at. */
const maxLectures = 5_000;
const maxNamed = 5;

/** Who takes jobs, wherever they run, and what waits for them. */
export async function checkQueues(queues: Queues): Promise<Finding[]> {
  const open = new Map<QueueName, number>();
  for (const name of queueNames) open.set(name, await queues.countOpen(name));
  const lectureJobs = (['ingest', 'transcribe', 'study', 'clips', 'quick'] as const).reduce(
    (sum, name) => sum + (open.get(name) ?? 0),
    0,
  );
  const workers = await queues.countWorkers();
  const textWorkers = await queues.countWorkers('study');
  const findings: Finding[] = [];
  if (workers > 0 !== textWorkers > 0) {
    const missing = workers > 0 ? 'text' : 'speech';
    findings.push({
      name: 'workers',
      state: 'failure',
      message: `none of the ${Math.max(workers, textWorkers)} connected workers does ${missing}: no lecture is finished`,
      fix: `start one with WORKER_FAMILIES=${missing}, or without that setting`,
    });
  } else if (workers > 0) findings.push({ name: 'workers', state: 'ok', message: `${workers} connected to the queue` });
  else {
    findings.push({
      name: 'workers',
      state: lectureJobs > 0 ? 'failure' : 'warning',
      message: `none is connected to the queue, ${lectureJobs} jobs are not finished`,
      fix: 'npm run start:worker, with the same REDIS_URL, QUEUE_PREFIX and DATA_DIR',
    });
  }
  const depths = [...open].filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  const isDeep = [...open.values()].some((count) => count > deepQueue);
  findings.push({
    name: 'queue',
    state: isDeep ? 'warning' : 'ok',
    message: depths.length === 0 ? 'no jobs' : `jobs not finished: ${depths.join(', ')}`,
    ...(isDeep && { fix: 'start more workers, or give them more cores' }),
  });
  return findings;
}

/** What the living workers report of their models. */
export async function checkModels(fleet: Pick<ModelFleet, 'read'>): Promise<Finding[]> {
  const statuses = await fleet.read();
  return statuses.filter(({ workers }) => workers > 0).map(judgeModel);
}

function judgeModel({ family, state, failureCode, workers, readyWorkers, memoryBytes }: ModelStatus): Finding {
  if (state === 'failed') {
    return {
      name: 'models',
      state: 'failure',
      message: `${family} cannot be loaded (${failureCode ?? 'internal'})`,
      fix: "see the weights above, and the worker's log",
    };
  }
  const memory = memoryBytes === null ? '' : `, ${toSize(memoryBytes)}`;
  return {
    name: 'models',
    state: 'ok',
    message: `${family} ${state}, in ${readyWorkers} of ${workers} workers${memory}`,
  };
}

/** How many stages have given up, and why. */
export async function checkFailed(failed: FailedJobs): Promise<Finding> {
  const { jobs, nextCursor } = await failed.list({ limit: 100 });
  if (jobs.length === 0) return { name: 'failed', state: 'ok', message: 'no stage has given up' };
  const codes = [...new Set(jobs.map(({ code }) => code))].join(', ');
  return {
    name: 'failed',
    state: 'warning',
    message: `${jobs.length}${nextCursor === null ? '' : ' or more'} stages have given up (${codes})`,
    fix: 'npm run studymate -- failed list, and failed retry when the cause is gone',
  };
}

/**
 * Lectures that have something to do and no job that will do it. A step that ends at this very moment looks the same,
 * so what looks stuck is looked at once more.
 */
export async function checkStuck(deps: {
  lectures: Pick<LectureStore, 'listAllIds' | 'read' | 'readIndex'>;
  queues: Pick<Queues, 'findStageJob'>;
  waitMs?: number;
}): Promise<Finding[]> {
  const { lectures, queues, waitMs = settleMs } = deps;
  const unreadable: string[] = [];
  const isStuck = async (lectureId: string): Promise<boolean> => {
    const record = await lectures.read(lectureId);
    if (!record) return false;
    for (const spec of nextJobs(record, await lectures.readIndex(record))) {
      const job = await queues.findStageJob(spec);
      if (!job || (await job.isCompleted()) || (await job.isFailed())) return true;
    }
    return false;
  };
  const findStuck = async (ids: string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const id of ids) {
      const stuck = await isStuck(id).catch(() => {
        unreadable.push(id);
        return false;
      });
      if (stuck) found.push(id);
    }
    return found;
  };

  const ids = (await lectures.listAllIds()).sort().reverse();
  let stuck = await findStuck(ids.slice(0, maxLectures));
  if (stuck.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    stuck = await findStuck(stuck);
  }
  const findings: Finding[] = [];
  const looked = ids.length > maxLectures ? `the newest ${maxLectures} of ${ids.length}` : `${ids.length}`;
  if (stuck.length > 0) {
    findings.push({
      name: 'lectures',
      state: 'failure',
      message: `${stuck.length} of ${looked} have no job for what is to be done next: ${toNames(stuck)}`,
      fix: 'npm run studymate -- reindex',
    });
  } else findings.push({ name: 'lectures', state: 'ok', message: `${looked}, none is stuck` });
  if (unreadable.length > 0) {
    findings.push({
      name: 'lectures',
      state: 'failure',
      message: `${unreadable.length} cannot be read: ${toNames(unreadable)}`,
      fix: 'restore their folders (lectures/ID/records) from a back-up',
    });
  }
  return findings;
}

function toNames(ids: string[]): string {
  return ids.length > maxNamed ? `${ids.slice(0, maxNamed).join(', ')}, …` : ids.join(', ');
}
