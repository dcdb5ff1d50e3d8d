import { createHash } from 'node:crypto';
import { ingestManifestSchema, type TranscribedChunk } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import type { LectureRecord } from '@studymate/contracts/lecture-record';
import { studyStageNames } from '@studymate/contracts/stages';
import type { Transcript } from '@studymate/contracts/transcript';
import { attemptOf } from '@studymate/queue/next-jobs';
import { assembleTranscript } from '@studymate/speech/assemble';
import { attemptPrefix, embeddingsKey, ingestManifestKey, transcriptKey } from '@studymate/storage/lecture-keys';
import { hasStudyableSpeech, toTimedSentences } from '@studymate/study/sentences';
import type { Stage, StageContext, StageDeps, StagePin } from '../stage-context.ts';
import { assertSoundIsThere, readText } from './read-text.ts';
import { toSkippedStudy } from './skip-study.ts';
import { hashOfEmbedded } from './study-inputs.ts';

const algorithm = 'assemble@1';

/** Joins the chunks into one transcript and pins both `transcribe` and `assemble`. */
export const assemble: Stage = async (deps, context) => {
  const { record, attempt } = context;
  const ingestAttempt = attemptOf(record, 'ingest');
  const transcribeAttempt = attemptOf(record, 'transcribe');
  const manifest = await deps.artifacts.readArtifact(ingestManifestKey(record.id, ingestAttempt), ingestManifestSchema);
  if (!manifest) {
    throw new AppError(
      'artifact_lost',
      'How the recording was cut is not in the store. Have the stage ingest done again.',
    );
  }

  const chunks: TranscribedChunk[] = [];
  for (let i = 0; i < manifest.chunkCount; i++) {
    const chunk = await readText(deps, context, i);
    if (chunk) chunks.push(chunk);
    else await assertSoundIsThere(deps, context, i);
    context.reportProgress(i / manifest.chunkCount);
  }
  // What is missing is transcribed again, and this job comes again after it: the reconciler sees to both.
  if (chunks.length < manifest.chunkCount) return { pins: {} };
  const content = assembleTranscript(chunks);
  const key = transcriptKey(record.id, attempt);
  await context.write.createArtifact(key, { schemaVersion: 1, content });
  const contentSha256 = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  if (attempt === 1) await reuseEmbeddings(deps, context, { algorithm, contentSha256 }, content);
  // A worker that died between a chunk's artifact and its event left the event to us; said before, it is not said again.
  for (const chunk of chunks) {
    await deps.events.publishChunk(record.id, transcribeAttempt, chunk.index, chunk.segments.length);
  }
  await context.dropSamples();

  return {
    pins: {
      transcribe: toTranscribePin(record, chunks, transcribeAttempt),
      assemble: { key, algorithm, contentSha256 },
    },
    change: (current) => {
      const detected = record.requestedLanguage === null ? content.language : null;
      const heard = { ...current, detectedLanguage: detected ?? current.detectedLanguage };
      // What people have corrected can be speech where the machine has heard none: each study stage looks for itself.
      if (hasStudyableSpeech(content) || current.transcriptVersion !== undefined) return heard;
      return toSkippedStudy(heard, studyStageNames, content.segments.length > 0);
    },
  };
};

/**
 * The embeddings that a lecture with the same transcript has made, so that no study stage needs the model. Where the
 * text model is missing there is nothing to compare with; the study stages will say so.
 */
async function reuseEmbeddings(
  deps: StageDeps,
  { record, attempt, write }: StageContext,
  transcript: { algorithm: string; contentSha256: string },
  content: Transcript,
): Promise<void> {
  const weights = await deps.models.weightsName('text').catch(() => null);
  if (weights === null) return;
  const texts = toTimedSentences(content).map((sentence) => sentence.text);
  const inputHash = hashOfEmbedded(texts, weights);
  const found = await deps.donors.findEmbeddings(record, transcript, inputHash);
  if (found) await write.createFloats(embeddingsKey(record.id, attempt, inputHash), found);
}

/** The stage `transcribe` is the work of many jobs: it lasted from the first one's start to the last one's end. */
function toTranscribePin(record: LectureRecord, chunks: TranscribedChunk[], attempt: number): StagePin {
  const made = chunks.filter((chunk) => !chunk.reused);
  const startedAt = chunks.map((chunk) => chunk.startedAt).sort()[0];
  const finishedAt = chunks
    .map((chunk) => chunk.finishedAt)
    .sort()
    .at(-1);
  const seconds = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : 0;
  return {
    key: attemptPrefix(record.id, 'transcribe', attempt),
    algorithm: chunks[0]?.algorithm ?? 'none',
    seconds,
    cold: made.length === 0 ? null : made.some((chunk) => chunk.cold),
    reused: chunks.length > 0 && made.length === 0,
    ...(startedAt ? { startedAt } : {}),
  };
}
