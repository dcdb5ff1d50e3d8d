import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import {
  type Retryable,
  type StageName,
  type StudyStageName,
  stageNames,
  studyStageNames,
} from '@studymate/contracts/stages';
import { attemptOf, hasFailed } from './next-jobs.ts';

/**
 * The record as it is when a user asks for a stage to be done again: the stage and everything that is made of its
 * result get a new attempt, and what they had (artifact, failure, reason for being skipped) no longer counts. The
 * old artifacts stay in the store until the new attempt has ended well. Pure, so it can be applied by `LectureStore.update`.
 *
 * Sound and words belong together (the chunks of one attempt are numbered alike), so `ingest` and `transcribe` are
 * always done again together.
 *
 * A cancelled lecture goes on with it: whatever the cancellation has interrupted gets a new attempt as well.
 *
 * @param wanted a stage, or `study` for all of those that read the transcript
 * @throws AppError `stage_skipped`, or `not_ready` when the stage has neither failed nor ended
 */
export function toRetriedRecord(record: LectureRecord, wanted: Retryable): LectureRecord {
  const named: readonly StageName[] = wanted === 'study' ? studyStageNames : [wanted];
  const stages = named.filter((stage) => record.skipped[stage] === undefined || isOpenAgain(record, stage));
  if (stages.length === 0) {
    const isUnasked = named.some((stage) => record.skipped[stage] === 'not_asked');
    const why = isUnasked ? 'nobody asked for it' : 'no clear speech was found in the recording';
    throw new AppError('stage_skipped', `The stage ${named[0]} was left out: ${why}.`);
  }
  const isCancelled = record.cancelledAt !== null;
  const hasEnded = (stage: StageName) =>
    record.artifacts[stage] !== undefined || record.skipped[stage] !== undefined || hasFailed(record, stage);
  const open = stages.find((stage) => !hasEnded(stage));
  if (!isCancelled && open !== undefined) {
    throw new AppError('not_ready', `The stage ${open} has not ended yet.`, { details: { retryAfterSeconds: 5 } });
  }
  const interrupted = isCancelled ? stageNames.filter((name) => !record.artifacts[name] && !record.skipped[name]) : [];
  return { ...toRepeatedRecord(record, ...stages, ...interrupted), cancelledAt: null };
}

/** Left out because no speech was heard; but people have corrected the text since, so the stage looks again. */
function isOpenAgain(record: LectureRecord, stage: StageName): boolean {
  const isCorrected = record.artifacts.assemble !== undefined && record.transcriptVersion !== undefined;
  return isStudyStage(stage) && isCorrected && record.skipped[stage] === 'no_speech';
}

/**
 * The record with a new attempt of stages and of everything that is made of their results, whatever they are at. What
 * nobody asked for stays left out. Study stages read the newest version of the text, and that one to their end. Pure.
 */
export function toRepeatedRecord(record: LectureRecord, ...stages: StageName[]): LectureRecord {
  const wanted = new Set(stages.flatMap(stagesToRepeat));
  const again = stageNames.filter((name) => wanted.has(name) && record.skipped[name] !== 'not_asked');
  const attempts = { ...record.attempts };
  for (const name of again) attempts[name] = attemptOf(record, name) + 1;
  const fromTheStart = again.includes('ingest');
  return {
    ...record,
    attempts,
    artifacts: without(record.artifacts, again),
    failures: without(record.failures, again),
    skipped: without(record.skipped, again),
    ...(record.transcriptVersion !== undefined && {
      studiedVersions: toStudiedVersions(record, again, record.transcriptVersion),
    }),
    ...(again.some(isStudyStage) && { warnings: record.warnings.filter(({ code }) => !isOfSpeech.has(code)) }),
    ...(fromTheStart && { durationSeconds: null, detectedLanguage: null, warnings: [] }),
  };
}

/** What is said where study stages were left out; those that are done again say it again. */
const isOfSpeech: ReadonlySet<string> = new Set(['no_speech', 'no_clear_speech']);

function isStudyStage(stage: StageName): boolean {
  return (studyStageNames as readonly StageName[]).includes(stage);
}

/** The stage and all that is made of its result. */
function stagesToRepeat(stage: StageName): readonly StageName[] {
  if (stage === 'ingest' || stage === 'transcribe') return stageNames;
  if (stage === 'assemble') return ['assemble', ...studyStageNames];
  return [stage];
}

function toStudiedVersions({ studiedVersions }: LectureRecord, again: readonly StageName[], newest: number) {
  const next: Partial<Record<StudyStageName, number>> = { ...studiedVersions };
  for (const name of studyStageNames) if (again.includes(name)) next[name] = newest;
  return next;
}

function without<T>(
  byStage: Partial<Record<StageName, T>>,
  names: readonly StageName[],
): Partial<Record<StageName, T>> {
  const kept = { ...byStage };
  for (const name of names) delete kept[name];
  return kept;
}
