import { type IngestManifest, ingestManifestSchema } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { type StageName, studyStageNames } from '@studymate/contracts/stages';
import { hasFailed } from '@studymate/queue/next-jobs';
import type { ArtifactSchema, Artifacts } from '@studymate/storage/artifacts';

/** What must have worked before a stage can begin. */
function stagesBefore(stage: StageName): readonly StageName[] {
  if (stage === 'ingest') return [];
  if (stage === 'transcribe') return ['ingest'];
  if (stage === 'assemble') return ['ingest', 'transcribe'];
  return ['ingest', 'transcribe', 'assemble'];
}

/**
 * The content of a stage's artifact as the record pins it.
 * @throws AppError `not_ready`, `stage_failed`, `stage_skipped` or `lecture_cancelled` when there is none
 */
export async function readStageContent<T>(
  artifacts: Artifacts,
  record: LectureRecord,
  stage: StageName,
  schema: ArtifactSchema<{ content: T }>,
): Promise<T> {
  const pinned = record.artifacts[stage];
  if (!pinned) throw whyMissing(record, stage);
  const artifact = await artifacts.readArtifact(pinned.key, schema);
  if (!artifact) throw new AppError('internal', `${pinned.key} is pinned but not there.`, { retryable: false });
  return artifact.content;
}

/** What is known of the recording once all of it has been cut. Throws as `readStageContent` does. */
export async function readManifest(artifacts: Artifacts, record: LectureRecord): Promise<IngestManifest> {
  const pinned = record.artifacts.ingest;
  if (!pinned) throw whyMissing(record, 'ingest');
  const manifest = await artifacts.readArtifact(pinned.key, ingestManifestSchema);
  if (!manifest) throw new AppError('internal', `${pinned.key} is pinned but not there.`, { retryable: false });
  return manifest;
}

/** Why a stage has no artifact, for the user. */
export function whyMissing(record: LectureRecord, stage: StageName): AppError {
  const reason = record.skipped[stage];
  if (reason) {
    const why = reason === 'no_speech' ? 'no clear speech was found in the recording' : 'nobody has asked for it';
    return new AppError('stage_skipped', `The stage ${stage} was left out: ${why}.`, {
      details: { stage, reason },
    });
  }
  for (const name of [stage, ...stagesBefore(stage)]) {
    const failure = hasFailed(record, name) ? record.failures[name] : undefined;
    if (!failure) continue;
    return new AppError('stage_failed', `The stage ${name} failed: ${failure.message}`, {
      details: { stage: name, cause: { code: failure.code, message: failure.message } },
    });
  }
  if (record.cancelledAt !== null) {
    return new AppError('lecture_cancelled', 'The lecture was cancelled before this part was made.');
  }
  return new AppError('not_ready', `The stage ${stage} has not ended yet; follow the lecture's events.`, {
    details: { stage, retryAfterSeconds: 2 },
  });
}

/** Nobody speaks: then there is nothing to transcribe, and the transcript is known to be empty. */
export function isSilent(record: LectureRecord): boolean {
  const isSkipped = (stage: StageName) => record.skipped[stage] === 'no_speech';
  return isSkipped('assemble') || studyStageNames.every(isSkipped);
}
