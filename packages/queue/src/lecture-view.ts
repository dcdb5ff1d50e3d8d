import type { Lecture, LectureStatus } from '@studymate/contracts/lecture';
import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import {
  pathStageNames,
  type StageName,
  type StageView,
  stageNames,
  studyStageNames,
} from '@studymate/contracts/stages';
import { type Backlog, toQueuePlace } from './estimate.ts';
import { attemptOf, hasFailed, nextJobs, studiedVersionOf } from './next-jobs.ts';
import { toDurationSeconds, toLeftSeconds } from './work.ts';

/** What is known only while work goes on; kept in Redis, and no harm if it is lost. */
export interface LiveStage {
  startedAt: string;
  /** 0 to 1. */
  progress: number;
  cold: boolean | null;
}
export interface LiveState {
  stages: Partial<Record<StageName, LiveStage>>;
}
export const noLiveState: LiveState = { stages: {} };

/** A lecture as the API shows it: pure. */
export function toLectureView(record: LectureRecord, index: ArtifactIndex, live: LiveState, backlog: Backlog): Lecture {
  const wanted = new Set(nextJobs(record, index).map((job) => job.stage));
  const stages = stageNames.map((name) => toStageView(record, name, wanted, live.stages[name]));
  const status = toStatus(record, stages);
  const ended = status !== 'queued' && status !== 'running';
  return {
    id: record.id,
    title: record.title,
    courseId: record.courseId,
    language: record.requestedLanguage ?? record.detectedLanguage,
    ...(record.recognition?.glossary && { glossary: record.recognition.glossary }),
    durationSeconds: record.durationSeconds,
    status,
    stages,
    queue: ended ? { position: null, etaSeconds: null } : toQueueView(record, status, stages, backlog),
    warnings: record.warnings,
    createdAt: record.createdAt,
    transcriptVersion: record.transcriptVersion ?? 0,
    version: record.version,
  };
}

/** 0 is said of a lecture that is being worked on, 1 of the next to come. */
function toQueueView(record: LectureRecord, status: LectureStatus, stages: StageView[], backlog: Backlog) {
  const leftSeconds = toLeftSeconds(toDurationSeconds(record), stages);
  const { ahead, etaSeconds } = toQueuePlace({ id: record.id, owner: record.owner, leftSeconds, stages }, backlog);
  const isKnown = backlog.workers !== null;
  return { position: status === 'running' ? 0 : isKnown ? ahead + 1 : null, etaSeconds };
}

export function toStageView(
  record: LectureRecord,
  name: StageName,
  wanted: ReadonlySet<StageName>,
  live: LiveStage | undefined,
): StageView {
  const idle = { name, progress: 0, startedAt: null, seconds: null, cold: null };
  const artifact = record.artifacts[name];
  if (artifact) {
    const studied = studyStageNames.find((stage) => stage === name);
    return {
      name,
      status: 'done',
      progress: 1,
      startedAt: artifact.startedAt,
      seconds: artifact.seconds,
      cold: artifact.cold,
      ...(artifact.reused && { reused: artifact.reused }),
      ...(studied && { transcriptVersion: studiedVersionOf(record, studied) }),
    };
  }
  const failure = record.failures[name];
  if (failure && failure.attempt === attemptOf(record, name)) {
    const error = { code: failure.code, message: failure.message };
    const { startedAt, failedAt } = failure;
    if (!startedAt) return { ...idle, status: 'failed', error };
    const seconds = Math.max(0, (Date.parse(failedAt) - Date.parse(startedAt)) / 1000);
    return { ...idle, status: 'failed', startedAt, seconds, error };
  }
  if (record.skipped[name]) return { ...idle, status: 'skipped' };
  if (record.cancelledAt !== null) return { ...idle, status: 'cancelled' };
  // Nothing will come of the stages after one that failed on the way to the transcript.
  if (!record.artifacts.assemble && pathStageNames.some((stage) => hasFailed(record, stage))) {
    return { ...idle, status: 'skipped' };
  }
  if (live) return { ...idle, ...live, status: 'running' };
  return { ...idle, status: wanted.has(name) ? 'queued' : 'waiting' };
}

function toStatus(record: LectureRecord, stages: StageView[]): LectureStatus {
  const settled = (stage: StageView) => stage.status === 'done' || stage.status === 'skipped';
  if (stages.every(settled)) return 'ready';
  if (record.cancelledAt !== null) return 'cancelled';
  if (!record.artifacts.assemble && pathStageNames.some((stage) => hasFailed(record, stage))) return 'failed';
  const ended = (stage: StageView) => settled(stage) || stage.status === 'failed';
  if (stages.every(ended)) return 'partial';
  const begun = stages.some((stage) => stage.status === 'running' || stage.status === 'done');
  return begun ? 'running' : 'queued';
}
