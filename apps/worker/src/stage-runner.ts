import { AppError, toAppError } from '@studymate/contracts/errors';
import type { Lecture } from '@studymate/contracts/lecture';
import type { ArtifactRef, LectureRecord } from '@studymate/contracts/lecture-record';
import type { StageName } from '@studymate/contracts/stages';
import type { ActiveLectures } from '@studymate/queue/active';
import type { CancelListener } from '@studymate/queue/cancel';
import { defaultBacklog } from '@studymate/queue/estimate';
import type { FailedIndex } from '@studymate/queue/failed';
import { type StageJobData, stageJobs } from '@studymate/queue/job-catalogue';
import { type LiveStage, noLiveState, toLectureView } from '@studymate/queue/lecture-view';
import { attemptOf, isStale } from '@studymate/queue/next-jobs';
import { toDurationSeconds, toLeftSeconds } from '@studymate/queue/work';
import type { Artifacts } from '@studymate/storage/artifacts';
import type { BlobStore } from '@studymate/storage/blob-store';
import type { LectureStore } from '@studymate/storage/lecture-store';
import { createFencedWriter, type Run, type RunFence } from '@studymate/storage/run-fence';
import type { Callbacks } from './callbacks/callbacks.ts';
import { dropEarlierAttempts, dropEarlierEmbeddings, dropSamples } from './drop-left.ts';
import type { Stage, StageContext, StageDeps, StageOutcome, StagePin } from './stage-context.ts';
import { createStageProgress } from './stage-progress.ts';
import type { StudyInputs } from './stages/study-inputs.ts';

export interface StageRunnerDeps extends StageDeps {
  blobs: BlobStore;
  artifacts: Artifacts;
  lectures: LectureStore;
  studyInputs: StudyInputs;
  fence: RunFence;
  stages: Record<StageName, Stage>;
  cancels: CancelListener;
  active: Pick<ActiveLectures, 'add' | 'remove' | 'setLeft'>;
  failed: Pick<FailedIndex, 'note'>;
  callbacks: Pick<Callbacks, 'tell'>;
  /** Takes out of the queues what waits there for an ended lecture. */
  withdraw(record: LectureRecord): Promise<void>;
  observeStage(stage: StageName, cold: boolean | null, seconds: number): void;
  /** Called instead when the job's result was taken over from another lecture, which says nothing of the work. */
  onReused(job: StageJobData): void;
  /** Called when a stage has given up, and the record says so. */
  onFailed(job: StageJobData, error: AppError): void;
  /** Called when a run was refused because a later one has taken its place, or its lecture has ended. */
  onSuperseded(job: StageJobData, error: AppError): void;
}

export interface StageRunner {
  /**
   * Runs one job to its end: live state, artifact, record, events, and whatever can run next. A run that was overtaken
   * by a later one, or by the lecture's end, stops without a word.
   * @throws AppError what made the stage fail
   */
  run(job: StageJobData, options: RunOptions): Promise<void>;
  /** Sends the closing event of a lecture that has nothing left to do. @returns whether it has ended */
  finishIfEnded(record: LectureRecord): Promise<boolean>;
  /**
   * Keeps in the record that a job gave up which nobody runs any more, unless the stage is settled or has a newer
   * attempt. Counts as a run: one that comes back after all is refused.
   * @param tries how often the job was begun
   */
  keepFailure(job: StageJobData, error: AppError, tries: number): Promise<void>;
}

export interface RunOptions {
  /** Whether the job will not be tried again after this error, which is then kept in the record. */
  isFinal(error: AppError): boolean;
  /** How often the job has been tried, this run included. */
  tries: number;
  /** Stops the run: the worker ends. */
  signal: AbortSignal;
}

export function createStageRunner(deps: StageRunnerDeps): StageRunner {
  const { lectures, live, events, fence } = deps;

  /** @param known the record, where the caller has just read or written it */
  const publishStage = async (lectureId: string, stage: StageName, known?: LectureRecord): Promise<void> => {
    const record = known ?? (await lectures.read(lectureId));
    if (!record) return;
    const [index, state, backlog] = await Promise.all([
      lectures.readIndex(record),
      live.read(record.id, record.attempts),
      deps.pace.readBacklog(),
    ]);
    const lecture = toLectureView(record, index, state, backlog);
    const view = lecture.stages.find((candidate) => candidate.name === stage);
    if (view) await events.publish(record.id, { type: 'stage', stage: view });
    const { status, queue } = lecture;
    await deps.active.setLeft(record.id, toLeftSeconds(toDurationSeconds(record), lecture.stages));
    if (queue.position !== null) await events.publish(record.id, { type: 'lecture', changes: { status, queue } });
  };

  /** Takes an ended lecture off the list of the unfinished, unless a user has asked for more of it meanwhile. */
  const leaveList = async (ended: LectureRecord): Promise<void> => {
    await deps.active.remove(ended.id);
    const record = await lectures.read(ended.id);
    // Whoever changes it later than this puts it on the list later, too.
    if (record && record.version !== ended.version && !findEnd(record)) await deps.active.add(record);
  };

  const finishIfEnded = async (record: LectureRecord): Promise<boolean> => {
    const lecture = findEnd(record);
    if (!lecture) return false;
    await tidy(record);
    const { status } = lecture;
    // Its other chunks: nobody wants them, and their owner's share is needed for other lectures.
    if (status === 'failed') await deps.withdraw(record);
    // Whoever cancels a lecture tells its listeners at once, without waiting for a worker.
    if (status !== 'cancelled') await events.publishEnd(record, lecture);
    await deps.callbacks.tell(record);
    await leaveList(record);
    return true;
  };

  const writeFailure = async (
    job: StageJobData,
    error: AppError,
    { tries, startedAt }: { tries: number; startedAt?: string },
  ): Promise<LectureRecord | null> => {
    const failedAt = new Date().toISOString();
    const failed = await lectures.update(job.lectureId, (record) =>
      isStale(record, job)
        ? record
        : {
            ...record,
            failures: {
              ...record.failures,
              [job.stage]: {
                code: error.code,
                message: error.message,
                attempt: job.attempt,
                failedAt,
                part: job.part,
                tries,
                ...(startedAt && { startedAt }),
              },
            },
          },
    );
    if (!failed) return null;
    // Not when somebody has asked for another attempt meanwhile.
    if (failed.failures[job.stage]?.failedAt === failedAt) deps.onFailed(job, error);
    await deps.failed.note(failed);
    await publishStage(failed.id, job.stage, failed);
    await finishIfEnded(failed);
    return failed;
  };

  const keepFailure: StageRunner['keepFailure'] = async (job, error, tries) => {
    // Its last run may be asleep rather than dead.
    const run = await fence.claim(job.lectureId, job);
    if (!(await writeFailure(job, error, { tries }))) await run.release();
  };

  /** What remains of an ended lecture's work goes, and no run of it may write any more. */
  const tidy = async (record: LectureRecord): Promise<void> => {
    await fence.endRuns(record);
    await dropSamples(deps.blobs, record);
    await dropEarlierAttempts(deps.blobs, record);
    await dropEarlierEmbeddings(deps, record);
  };

  /** Begins a run of the job. @returns null when there is nothing to do for it */
  const begin = async (job: StageJobData): Promise<{ run: Run; record: LectureRecord } | null> => {
    const known = await lectures.read(job.lectureId);
    if (!known || isStale(known, job)) return null;
    const run = await fence.claim(job.lectureId, job);
    // Once more: a lecture that ended before the mark was there did not take it away.
    const record = await lectures.read(job.lectureId);
    if (record && !isStale(record, job)) return { run, record };
    await run.release();
    return null;
  };

  const runBegun = async (
    job: StageJobData,
    { run, record }: { run: Run; record: LectureRecord },
    { isFinal, tries, signal }: RunOptions,
    cancelled: AbortSignal,
  ): Promise<void> => {
    const timeout = AbortSignal.timeout(stageJobs[job.stage].timeoutMs);
    const overtaken = new AbortController();
    const progress = createStageProgress({
      job,
      run,
      live,
      publish: () => publishStage(job.lectureId, job.stage),
      onSuperseded: () => overtaken.abort(),
    });
    const updateRecord: StageContext['updateRecord'] = async (change) => {
      await run.check();
      const updated = await lectures.update(job.lectureId, (current) =>
        isStale(current, job) ? current : change(current),
      );
      if (updated) return updated;
      throw new AppError('superseded', 'The lecture was deleted.');
    };
    const context: StageContext = {
      record,
      part: job.part,
      attempt: job.attempt,
      signal: AbortSignal.any([cancelled, timeout, signal, overtaken.signal]),
      write: createFencedWriter(run, deps.artifacts),
      updateRecord,
      async discard(key) {
        await run.check();
        await deps.blobs.delete(key);
      },
      async dropSamples() {
        await run.check();
        await dropSamples(deps.blobs, record);
      },
      reportProgress: progress.report,
      reportCold: progress.setCold,
    };
    try {
      await progress.begin();
      const outcome = await deps.stages[job.stage](deps, context);
      await progress.end();
      if (overtaken.signal.aborted) throw superseded();
      const seconds = progress.seconds();
      if (outcome.reused) deps.onReused(job);
      else deps.observeStage(job.stage, progress.state().cold, seconds);
      await pin(job, outcome, { ...progress.state(), seconds }, updateRecord);
    } catch (thrown) {
      await progress.end();
      if (cancelled.aborted) return await cleanUpAfterCancel(job.lectureId);
      if (overtaken.signal.aborted) throw superseded(thrown);
      const error = timeout.aborted
        ? new AppError('timeout', `The stage took longer than ${stageJobs[job.stage].timeoutMs / 60_000} minutes.`, {
            cause: thrown,
          })
        : toAppError(thrown);
      // A stop of the worker is no failure of the stage: the job goes back and runs again.
      if (error.code !== 'superseded' && !signal.aborted && isFinal(error)) {
        await run.check();
        await writeFailure(job, error, { tries, startedAt: progress.state().startedAt });
      }
      throw error;
    }
    if (cancelled.aborted) await cleanUpAfterCancel(job.lectureId);
    await deps.advance(job.lectureId);
  };

  const run: StageRunner['run'] = async (job, options) => {
    // Listening comes before reading: what is cancelled in between is then seen by one or the other.
    const cancel = deps.cancels.watch(job.lectureId);
    try {
      const begun = await begin(job);
      if (begun) await runBegun(job, begun, options, cancel.signal);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code !== 'superseded') throw error;
      // Whoever overtook it goes on with the job; there is nothing to try again and nothing that failed.
      deps.onSuperseded(job, error);
      await cleanUpAfterSuperseded(job.lectureId);
    } finally {
      cancel.release();
    }
  };

  /** What a stage wrote for a lecture that was deleted or cancelled meanwhile is removed. */
  const cleanUpAfterCancel = async (lectureId: string): Promise<void> => {
    const record = await lectures.read(lectureId);
    if (record) await finishIfEnded(record);
    else await lectures.delete(lectureId);
  };

  /** What slipped in between a run's question and its write. The end itself has been told by others. */
  const cleanUpAfterSuperseded = async (lectureId: string): Promise<void> => {
    const record = await lectures.read(lectureId);
    if (!record) await lectures.delete(lectureId);
    else if (findEnd(record)) await tidy(record);
  };

  const pin = async (
    { stage }: StageJobData,
    { pins, change }: StageOutcome,
    state: LiveStage & { seconds: number },
    updateRecord: StageContext['updateRecord'],
  ): Promise<void> => {
    const names = Object.keys(pins) as StageName[];
    if (names.length === 0 && !change) return;
    const pinned = await updateRecord((record) => {
      const artifacts = { ...record.artifacts };
      for (const name of names) {
        const given = pins[name];
        if (given) artifacts[name] = toArtifactRef(given, attemptOf(record, name), state);
      }
      const next = { ...record, artifacts };
      return change ? change(next) : next;
    });
    for (const name of names.length > 0 ? names : [stage]) await publishStage(pinned.id, name, pinned);
    await finishIfEnded(pinned);
  };

  return { run, finishIfEnded, keepFailure };
}

/** Whether it has ended does not depend on its chunks. @returns the lecture as it is shown, if nothing is left to do */
function findEnd(record: LectureRecord): Lecture | null {
  const lecture = toLectureView(record, { cutChunks: [], transcribedChunks: [] }, noLiveState, defaultBacklog);
  return lecture.status === 'queued' || lecture.status === 'running' ? null : lecture;
}

function superseded(cause?: unknown): AppError {
  return new AppError('superseded', 'A later run of the job has taken its place.', { cause });
}

function toArtifactRef(pin: StagePin, attempt: number, run: LiveStage & { seconds: number }): ArtifactRef {
  return {
    key: pin.key,
    schemaVersion: 1,
    algorithm: pin.algorithm,
    attempt,
    startedAt: pin.startedAt ?? run.startedAt,
    seconds: pin.seconds ?? run.seconds,
    cold: pin.cold === undefined ? run.cold : pin.cold,
    ...(pin.reused && { reused: true }),
    ...(pin.contentSha256 && { contentSha256: pin.contentSha256 }),
  };
}
