import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type StageName, stageNames, studyStageNames } from '@studymate/contracts/stages';
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
 * @throws AppError `stage_skipped`, or `not_ready` when the stage has neither failed nor ended
 */
export function toRetriedRecord(record: LectureRecord, stage: StageName): LectureRecord {
  const reason = record.skipped[stage];
  if (reason !== undefined) {
    const why = reason === 'not_asked' ? 'nobody asked for it' : 'nobody speaks in the recording';
    throw new AppError('stage_skipped', `The stage ${stage} was left out: ${why}.`);
  }
  const isCancelled = record.cancelledAt !== null;
  if (!isCancelled && record.artifacts[stage] === undefined && !hasFailed(record, stage)) {
    throw new AppError('not_ready', `The stage ${stage} has not ended yet.`, { details: { retryAfterSeconds: 5 } });
  }
  const interrupted = isCancelled ? stageNames.filter((name) => !record.artifacts[name] && !record.skipped[name]) : [];
  return { ...toRepeatedRecord(record, stage, ...interrupted), cancelledAt: null };
}

/**
 * The record with a new attempt of stages and of everything that is made of their results, whatever they are at. What
 * nobody asked for stays left out. Pure.
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
    ...(fromTheStart && { durationSeconds: null, detectedLanguage: null, warnings: [] }),
  };
}

/** The stage and all that is made of its result. */
function stagesToRepeat(stage: StageName): readonly StageName[] {
  if (stage === 'ingest' || stage === 'transcribe') return stageNames;
  if (stage === 'assemble') return ['assemble', ...studyStageNames];
  return [stage];
}

function without<T>(
  byStage: Partial<Record<StageName, T>>,
  names: readonly StageName[],
): Partial<Record<StageName, T>> {
  const kept = { ...byStage };
  for (const name of names) delete kept[name];
  return kept;
}
