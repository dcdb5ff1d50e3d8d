import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import {
  pathStageNames,
  type Retryable,
  retryableSchema,
  type StageName,
  studyStageNames,
} from '@studymate/contracts/stages';
import { defaultBacklog } from '../src/estimate.ts';
import { noLiveState, toLectureView } from '../src/lecture-view.ts';
import { attemptOf, isStale, type JobSpec, nextJobs, toJobId } from '../src/next-jobs.ts';
import { toRetriedRecord } from '../src/retry.ts';
import { artifactRef, lectureRecord } from './lecture-fixtures.ts';

/** What a queue knows of a job; a job that it does not know can be added. */
type JobState = 'waiting' | 'active' | 'done' | 'failed';

interface Run {
  job: JobSpec;
  /** What stands in its mark. */
  token: object;
  /** What is still to be done, one durable step each: the process may die, sleep or be overtaken between any two. */
  steps: (() => void)[];
}

interface Worker {
  run: Run | null;
  /** Ids that this process has added and does not add again. */
  added: Set<string>;
}

class Superseded extends Error {}

/**
 * A lecture among two workers in miniature: a store with exclusive creates and run marks, a queue that may lose all it
 * knows, and what workers do with a job, one durable step after the other. What runs next, what is stale, what a retry
 * does and what is shown are the real functions.
 */
export function createLectureWorld(chunkCount: number) {
  let record = lectureRecord();
  /** Keys of all artifacts ever written; none is written twice. */
  const store = new Set<string>();
  /** The newest run of each job; none once the lecture has ended. */
  const marks = new Map<string, object>();
  let fault: string | null = null;
  const queue = new Map<string, { job: JobSpec; state: JobState; stalls: number }>();
  const workers: Worker[] = [0, 1].map(() => ({ run: null, added: new Set() }));
  const api = new Set<string>();
  const everSettled = new Set<string>();

  const chunksOf = (stage: 'ingest' | 'transcribe') =>
    Array.from({ length: chunkCount }, (_, i) => i).filter((i) =>
      store.has(`${stage}/${attemptOf(record, stage)}/${i}`),
    );
  const index = () => ({ cutChunks: chunksOf('ingest'), transcribedChunks: chunksOf('transcribe') });
  const wanted = () => nextJobs(record, index());
  const view = () => toLectureView(record, index(), noLiveState, defaultBacklog);
  const hasEnded = () => !['queued', 'running'].includes(view().status);

  const advance = (added: Set<string>, again = false) => {
    for (const job of wanted()) {
      const id = toJobId(job);
      if (added.has(id) && !again) continue;
      if (!queue.has(id)) queue.set(id, { job, state: 'waiting', stalls: 0 });
      added.add(id);
    }
  };
  const endIfOver = () => {
    if (!hasEnded()) return;
    marks.clear();
    for (const key of store) if (key.endsWith('.pcm')) store.delete(key);
  };
  const settle = (job: JobSpec, state: JobState) => {
    const entry = queue.get(toJobId(job));
    if (entry?.state === 'active') entry.state = state;
  };
  const check = ({ job, token }: Run) => {
    if (marks.get(toJobId(job)) !== token) throw new Superseded();
  };
  const write = (key: string) => {
    // A cancellation is told to the workers, and wound up by whoever hears it first.
    if (hasEnded() && record.cancelledAt === null) fault ??= `${key} is written after the end`;
    store.add(key);
  };
  const change = (job: JobSpec, update: (current: LectureRecord) => LectureRecord) => {
    if (!isStale(record, job)) record = { ...update(record), version: record.version + 1 };
  };
  const keepFailure = (job: JobSpec) => {
    const failure = { code: 'internal', message: '', attempt: job.attempt, failedAt: '2026-01-01T00:00:00.000Z' };
    change(job, (current) => ({ ...current, failures: { ...current.failures, [job.stage]: failure } }));
    endIfOver();
  };
  const claim = (job: JobSpec): object => {
    const token = {};
    marks.set(toJobId(job), token);
    return token;
  };
  /** The attempt of what the stage's result is made of. */
  const sourceOf = (stage: StageName): number => {
    if (stage === 'ingest') return 0;
    return attemptOf(record, stage === 'transcribe' ? 'ingest' : stage === 'assemble' ? 'transcribe' : 'assemble');
  };
  const pin = (run: Run, stages: StageName[], isSilent: boolean) => () => {
    check(run);
    change(run.job, (current) => {
      const artifacts = { ...current.artifacts };
      for (const stage of stages) {
        const key = `${stage === run.job.stage ? run.job.attempt : attemptOf(current, stage)} of ${sourceOf(stage)}`;
        artifacts[stage] = { ...artifactRef(attemptOf(current, stage)), key };
      }
      const skipped = isSilent ? Object.fromEntries(studyStageNames.map((stage) => [stage, 'no_speech'] as const)) : {};
      return { ...current, artifacts, skipped: { ...current.skipped, ...skipped } };
    });
    endIfOver();
  };
  const fenced = (run: Run, work: () => void) => () => {
    check(run);
    work();
  };

  const stepsOf = (run: Run, added: Set<string>): (() => void)[] => {
    const { stage, attempt, part } = run.job;
    const own = (name: string | number) => fenced(run, () => write(`${stage}/${attempt}/${name}`));
    const last = [() => advance(added), () => settle(run.job, 'done')];
    if (stage === 'transcribe') {
      // A run keeps to the record that it began with: a retry may have come since.
      const sound = `ingest/${attemptOf(record, 'ingest')}/${part}.pcm`;
      const listen = fenced(run, () => {
        const isMade = store.has(`${stage}/${attempt}/${part}`);
        if (attemptOf(record, stage) === attempt && !isMade && !store.has(sound)) fault ??= `${sound} is gone`;
      });
      return [listen, own(part), ...last];
    }
    if (stage === 'ingest') {
      const cut = Array.from({ length: chunkCount }, (_, i) => [own(`${i}.pcm`), own(i), () => advance(added)]).flat();
      return [...cut, own('manifest'), pin(run, ['ingest'], false), ...last];
    }
    const stages: StageName[] = stage === 'assemble' ? ['transcribe', 'assemble'] : [stage];
    return [own('result'), pin(run, stages, stage === 'assemble' && chunkCount === 0), ...last];
  };

  const guarded = (worker: Worker, work: () => void) => {
    try {
      work();
    } catch (thrown) {
      if (!(thrown instanceof Superseded)) throw thrown;
      if (worker.run) settle(worker.run.job, 'done');
      worker.run = null;
    }
  };

  /** Each does one thing, or nothing when there is nothing to do it to. */
  const events = {
    upload: () => advance(api),
    take(worker: Worker, pick: number) {
      const waiting = [...queue.values()].filter(({ state }) => state === 'waiting');
      const entry = waiting[pick % Math.max(1, waiting.length)];
      if (!entry || worker.run) return;
      entry.state = 'active';
      if (isStale(record, entry.job)) {
        settle(entry.job, 'done');
        return;
      }
      const run: Run = { job: entry.job, token: claim(entry.job), steps: [] };
      run.steps = stepsOf(run, worker.added);
      worker.run = run;
    },
    step(worker: Worker) {
      guarded(worker, () => {
        worker.run?.steps.shift()?.();
        if (worker.run?.steps.length === 0) worker.run = null;
      });
    },
    /** The stage throws, for the last time. */
    fail(worker: Worker) {
      guarded(worker, () => {
        const { run } = worker;
        if (!run) return;
        check(run);
        keepFailure(run.job);
        settle(run.job, 'failed');
        worker.run = null;
      });
    },
    die(worker: Worker) {
      worker.run = null;
      worker.added = new Set();
    },
    /** Its lock runs out while it sleeps or after it died: the job goes back, and the run may wake up later. */
    stall(_: Worker, pick: number) {
      const active = [...queue.values()].filter(({ state }) => state === 'active');
      const entry = active[pick % Math.max(1, active.length)];
      if (entry) entry.state = ++entry.stalls > 3 ? 'failed' : 'waiting';
    },
    loseRedis() {
      queue.clear();
    },
    reconcile(worker: Worker) {
      endIfOver();
      if (hasEnded()) return;
      for (const job of wanted()) {
        const entry = queue.get(toJobId(job));
        if (entry?.state === 'failed') {
          claim(job);
          keepFailure(job);
        } else if (entry?.state === 'done') queue.delete(toJobId(job));
      }
      advance(worker.added, true);
    },
    cancel() {
      if (hasEnded()) return;
      record = { ...record, cancelledAt: '2026-01-01T00:00:00.000Z', version: record.version + 1 };
    },
    retry(_: Worker, pick: number) {
      if (record.cancelledAt === null && !hasEnded()) return;
      const stages: readonly Retryable[] = retryableSchema.options;
      try {
        record = { ...toRetriedRecord(record, stages[pick % stages.length] as Retryable), version: record.version + 1 };
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
      }
      advance(api);
    },
  };
  type EventName = keyof typeof events;

  /** What is wrong with the lecture as it stands, or null. */
  const findFault = (): string | null => {
    if (fault) return fault;
    const jobs = wanted();
    const ids = jobs.map(toJobId);
    if (new Set(ids).size !== ids.length) return `a job is asked for twice at once: ${ids}`;
    for (const id of ids) if (everSettled.has(id)) return `${id} is asked for again`;
    const { transcribedChunks } = index();
    for (const stage of [...pathStageNames, ...studyStageNames]) {
      const attempt = attemptOf(record, stage);
      const id = toJobId({ lectureId: record.id, stage, part: 0, attempt });
      const ref = record.artifacts[stage];
      const expected = `${attempt} of ${sourceOf(stage)}`;
      if (ref && ref.key !== expected) return `${stage} pins attempt ${ref.key}, not ${expected}`;
      if (ref && ref.attempt !== attempt) return `${stage} pins attempt ${ref.attempt} in attempt ${attempt}`;
      if (ref && stage !== 'transcribe') {
        everSettled.add(id);
      }
      if (record.failures[stage]?.attempt === attempt && stage !== 'transcribe') everSettled.add(id);
    }
    for (const part of transcribedChunks) {
      everSettled.add(
        toJobId({ lectureId: record.id, stage: 'transcribe', part, attempt: attemptOf(record, 'transcribe') }),
      );
    }
    return findContradiction(jobs);
  };

  const findContradiction = (jobs: JobSpec[]): string | null => {
    const { status, stages } = view();
    if (hasEnded() !== (jobs.length === 0)) return `${status}, but ${jobs.length} jobs are wanted`;
    for (const stage of stages) {
      if ((stage.status === 'done') !== (record.artifacts[stage.name] !== undefined))
        return `${stage.name}: ${stage.status}`;
      if (stage.status === 'failed' && !record.failures[stage.name]) return `${stage.name} has not failed`;
    }
    const isDone = ({ name }: { name: StageName }) => record.artifacts[name] || record.skipped[name];
    if ((status === 'ready') !== stages.every(isDone)) return `${status}, with ${Object.keys(record.artifacts)}`;
    if (status === 'cancelled' && record.cancelledAt === null) return 'shown as cancelled';
    if (status === 'failed' && record.artifacts.assemble) return 'failed with a transcript';
    return null;
  };

  return {
    events: Object.keys(events) as EventName[],
    happen(event: EventName, worker: number, pick: number) {
      events[event](workers[worker % workers.length] as Worker, pick);
    },
    findFault,
    status: () => view().status,
    /** Nothing bad happens any more: workers and the reconciler do their work. @returns rounds until nothing is left */
    calmDown(maxRounds: number): number {
      for (let round = 1; round <= maxRounds; round++) {
        const isIdle = workers.every((worker) => worker.run === null);
        if (isIdle && hasEnded()) return round;
        for (const worker of workers) {
          while (worker.run) events.step(worker);
          for (const { job, state } of queue.values()) {
            const isHeld = workers.some(({ run }) => run && toJobId(run.job) === toJobId(job));
            if (state === 'active' && !isHeld)
              events.stall(
                worker,
                [...queue.values()].filter((e) => e.state === 'active').findIndex((e) => e.job === job),
              );
          }
          events.take(worker, round);
        }
        events.reconcile(workers[0] as Worker);
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}
