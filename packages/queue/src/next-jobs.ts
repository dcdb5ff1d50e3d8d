import type { ArtifactIndex, LectureRecord } from '@studymate/contracts/lecture-record';
import { pathStageNames, type StageName, type StudyStageName, studyStageNames } from '@studymate/contracts/stages';

/** One job that should exist. `part` is the chunk for `transcribe` and 0 for every other stage. */
export interface JobSpec {
  lectureId: string;
  stage: StageName;
  part: number;
  attempt: number;
}

/** The id under which a job is queued: adding it twice is a no-op. BullMQ forbids ":" in ids. */
export function toJobId(spec: JobSpec): string {
  return `${spec.lectureId}-${spec.stage}-${spec.part}-${spec.attempt}`;
}

export function attemptOf(record: LectureRecord, stage: StageName): number {
  return record.attempts[stage] ?? 1;
}

/** Which version of the transcript's text the attempt that counts reads; 0: the machine's. */
export function studiedVersionOf(record: LectureRecord, stage: StudyStageName): number {
  return record.studiedVersions?.[stage] ?? 0;
}

/** Whether a stage gave up in the attempt that counts. */
export function hasFailed(record: LectureRecord, stage: StageName): boolean {
  return record.failures[stage]?.attempt === attemptOf(record, stage);
}

/** Nothing more will be made for the stage unless a user asks for it. */
export function isSettled(record: LectureRecord, stage: StageName): boolean {
  return (
    record.artifacts[stage] !== undefined ||
    record.skipped[stage] !== undefined ||
    record.cancelledAt !== null ||
    hasFailed(record, stage)
  );
}

/** Whether a job's result is of no use any more: settled, of an older attempt, or on a way that has ended. */
export function isStale(record: LectureRecord, job: Pick<JobSpec, 'stage' | 'attempt'>): boolean {
  const isOnTheWay = (pathStageNames as readonly StageName[]).includes(job.stage);
  return (
    attemptOf(record, job.stage) !== job.attempt ||
    isSettled(record, job.stage) ||
    (isOnTheWay && pathStageNames.some((stage) => hasFailed(record, stage)))
  );
}

/**
 * Which jobs should exist now, as a pure function of what is kept: the one place that knows the order of the
 * stages. Chunks are asked for as soon as they are cut, long before ingest has seen the end of the recording.
 */
export function nextJobs(record: LectureRecord, index: ArtifactIndex): JobSpec[] {
  if (record.cancelledAt !== null) return [];
  const job = (stage: StageName, part = 0): JobSpec => ({
    lectureId: record.id,
    stage,
    part,
    attempt: attemptOf(record, stage),
  });

  if (record.artifacts.assemble) {
    return studyStageNames.filter((stage) => !isSettled(record, stage)).map((stage) => job(stage));
  }
  if (pathStageNames.some((stage) => hasFailed(record, stage))) return [];

  const jobs: JobSpec[] = [];
  if (!isSettled(record, 'ingest')) jobs.push(job('ingest'));
  const transcribed = new Set(index.transcribedChunks);
  // Once all were transcribed, one that is missing is lost, and its sound is gone: the assembly says so.
  const missing = record.artifacts.transcribe ? [] : index.cutChunks.filter((chunk) => !transcribed.has(chunk));
  for (const chunk of missing) jobs.push(job('transcribe', chunk));
  if (record.artifacts.ingest && missing.length === 0) jobs.push(job('assemble'));
  return jobs;
}
