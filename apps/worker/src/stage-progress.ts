import { toAppError } from '@studymate/contracts/errors';
import type { StageJobData } from '@studymate/queue/job-catalogue';
import type { LiveStage } from '@studymate/queue/lecture-view';
import type { LiveStore } from '@studymate/queue/live';
import type { Run } from '@studymate/storage/run-fence';

/** Progress is shown, not logged: a few times a second is enough. */
const progressIntervalMs = 250;

export interface StageProgress {
  /** Says that the stage runs. `transcribe` is many jobs: the first of them says when it began. */
  begin(): Promise<void>;
  /** @param fraction 0 to 1; what is below an earlier one changes nothing */
  report(fraction: number): void;
  setCold(cold: boolean): void;
  /** Sends nothing more, and waits for what is being sent. */
  end(): Promise<void>;
  /** Seconds since this run began. */
  seconds(): number;
  state(): Readonly<LiveStage>;
}

/**
 * Keeps a stage's live state and tells listeners of it, at most a few times a second and in order.
 * @param deps.publish tells listeners how the stage stands now
 * @param deps.onSuperseded called when the run was overtaken: it tells nothing any more, and had better stop
 */
export function createStageProgress(deps: {
  job: StageJobData;
  run: Run;
  live: Pick<LiveStore, 'read' | 'setStage'>;
  publish(): Promise<void>;
  onSuperseded(): void;
}): StageProgress {
  const { job, run, live } = deps;
  const startMs = performance.now();
  const state: LiveStage = { startedAt: new Date().toISOString(), progress: 0, cold: null };
  let sending: Promise<void> = Promise.resolve();
  let lastSentMs = 0;
  let ended = false;

  const sendNow = async (): Promise<void> => {
    try {
      await run.check();
      await live.setStage(job.lectureId, job.stage, job.attempt, state);
      await deps.publish();
    } catch (error) {
      // Progress that cannot be shown does not stop the work; having been overtaken does.
      if (toAppError(error).code === 'superseded') deps.onSuperseded();
    }
  };
  const send = (): Promise<void> => {
    lastSentMs = performance.now();
    sending = sending.then(sendNow);
    return sending;
  };

  return {
    async begin() {
      const before = (await live.read(job.lectureId, { [job.stage]: job.attempt })).stages[job.stage];
      if (before) Object.assign(state, before);
      // Of a stage that is under way only a run that takes the place of one that died says so: work goes on.
      if (!before || run.number > 1) await send();
    },
    report(fraction) {
      state.progress = Math.max(state.progress, Math.min(1, fraction));
      if (!ended && performance.now() - lastSentMs >= progressIntervalMs) void send();
    },
    setCold(cold) {
      state.cold = state.cold === true || cold;
    },
    async end() {
      ended = true;
      await sending;
    },
    seconds: () => (performance.now() - startMs) / 1000,
    state: () => state,
  };
}
