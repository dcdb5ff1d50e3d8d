import { chunkSchema, type TranscribedChunk, transcribedChunkSchema } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import { attemptOf } from '@studymate/queue/next-jobs';
import { assembleChunk, chunkLanguage } from '@studymate/speech/assemble';
import { toSegmentDecodings } from '@studymate/speech/segment-decodings';
import { chunkKey, chunkSamplesKey, transcribedChunkKey } from '@studymate/storage/lecture-keys';
import { priorities } from '../model-ops.ts';
import type { Stage, StageContext, StageDeps } from '../stage-context.ts';
import { transcribeInOrder } from '../transcribe-in-order.ts';
import { readText } from './read-text.ts';
import { toReusedChunk } from './reuse-chunks.ts';

const sureOfLanguage = 0.5;

/** Transcribes one chunk, window by window, and announces its text. */
export const transcribe: Stage = async (deps, context) => {
  const { record, attempt, part } = context;
  const key = transcribedChunkKey(record.id, attempt, part);
  let done = await readText(deps, context, part);
  let reused = false;
  if (!done) {
    const donated = await findDonated(deps, context);
    reused = donated !== null;
    done = donated ?? (await transcribeChunk(deps, context));
    await keepDetectedLanguage(deps, context, done);
    const isFirst = await context.write.createArtifact(key, done);
    // Another worker was quicker (this one had been taken for dead): its artifact is the one that counts.
    if (!isFirst) done = (await deps.artifacts.readArtifact(key, transcribedChunkSchema)) ?? done;
  }
  await deps.events.publishChunk(record.id, attempt, part, done.segments.length);
  return { pins: {}, reused };
};

/** The chunk as another lecture with the same recording has it. A user who asks for it again gets it made again. */
async function findDonated(deps: StageDeps, { record, part, attempt }: StageContext): Promise<TranscribedChunk | null> {
  if (attempt > 1) return null;
  const chunk = await deps.artifacts.readArtifact(chunkKey(record.id, attemptOf(record, 'ingest'), part), chunkSchema);
  if (!chunk) return null;
  const speechAlgorithm = await deps.models.speechAlgorithm();
  const language = record.requestedLanguage ?? record.detectedLanguage;
  const donated = await deps.donors.findTranscribedChunk(record, chunk, { speechAlgorithm, language });
  return donated && toReusedChunk(donated);
}

async function transcribeChunk(deps: StageDeps, context: StageContext): Promise<TranscribedChunk> {
  const { record, part, signal } = context;
  const ingestAttempt = attemptOf(record, 'ingest');
  const chunk = await deps.artifacts.readArtifact(chunkKey(record.id, ingestAttempt, part), chunkSchema);
  const samples = await deps.artifacts.readSamples(chunkSamplesKey(record.id, ingestAttempt, part));
  if (!chunk || !samples) {
    const message = `The sound of chunk ${part} is not in the store. Have the stage transcribe done again.`;
    throw new AppError('artifact_lost', message);
  }

  const startedAt = new Date().toISOString();
  const lease = await deps.models.speech.acquire(signal);
  context.reportCold(lease.cold);
  const recordPace = deps.pace.beginChunk();
  try {
    const algorithm = await deps.models.speechAlgorithm();
    const fresh = (await deps.lectures.read(record.id)) ?? record;
    const { windows } = chunk;
    const sounds = windows.map(({ sampleOffset, sampleCount }) =>
      samples.subarray(sampleOffset, sampleOffset + sampleCount),
    );
    const { results, seconds: inferenceSeconds } = await transcribeInOrder(lease, sounds, {
      language: fresh.requestedLanguage,
      expectedLanguage: fresh.detectedLanguage,
      recognition: fresh.recognition,
      // Earlier chunks first, so that the text grows from its beginning.
      priority: part === 0 ? priorities.firstChunk : priorities.chunk + Math.min(part, 999) / 1000,
      signal,
      onDone: (count) => reportCovered(deps, context, (windows[count - 1]?.end ?? 0) - (windows[0]?.start ?? 0)),
    });
    const audioSeconds = windows.reduce((sum, { start, end }) => sum + end - start, 0);
    const detected = chunkLanguage(chunk, results);
    await recordPace(audioSeconds);
    const segments = assembleChunk(chunk, results);
    const decodings = toSegmentDecodings(chunk, results, segments);
    return {
      schemaVersion: 1,
      index: part,
      language: detected?.language ?? null,
      languageProbability: detected?.languageProbability ?? null,
      segments,
      ...(decodings && { decodings }),
      audioSeconds,
      inferenceSeconds,
      startedAt,
      finishedAt: new Date().toISOString(),
      cold: lease.cold,
      algorithm,
    };
  } finally {
    lease.release();
  }
}

/** @param seconds of the recording that this chunk has behind it */
async function reportCovered(deps: StageDeps, context: StageContext, seconds: number): Promise<void> {
  const covered = await deps.live.setCovered(context.record.id, context.attempt, context.part, seconds);
  const total = context.record.durationSeconds;
  if (total) context.reportProgress(Math.min(0.99, covered / total));
}

/**
 * The first chunk with speech to be done says what the others are expected to be in; where it is not sure itself, the
 * next one does. Assembly counts what the lecture really is in.
 */
async function keepDetectedLanguage(deps: StageDeps, context: StageContext, chunk: TranscribedChunk): Promise<void> {
  const { language, languageProbability } = chunk;
  const { requestedLanguage, recognition } = context.record;
  const isSure = (languageProbability ?? 0) >= sureOfLanguage;
  if (language === null || !isSure || requestedLanguage !== null) return;
  // Of a translation the language says nothing about what is spoken.
  if (recognition?.translate) return;
  let changed = false;
  const record = await context.updateRecord((current) => {
    changed = current.detectedLanguage === null;
    return changed ? { ...current, detectedLanguage: language } : current;
  });
  if (changed) {
    await deps.events.publish(record.id, { type: 'lecture', changes: { language, version: record.version } });
  }
}
