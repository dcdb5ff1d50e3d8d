import type { IngestManifest } from '@studymate/contracts/artifacts';
import { AppError } from '@studymate/contracts/errors';
import { chooseTrack } from '@studymate/media/choose-track';
import { toBelievableSeconds } from '@studymate/media/completeness';
import { decodeToSamples } from '@studymate/media/decode';
import { probeMedia } from '@studymate/media/probe';
import type { Lease } from '@studymate/models/model-family';
import { toRepeatedRecord } from '@studymate/queue/retry';
import {
  createChunker,
  createWindowCutter,
  frameSamples,
  toChunk,
  type WindowGroup,
} from '@studymate/speech/cut-windows';
import { ingestManifestKey } from '@studymate/storage/lecture-keys';
import { runVad } from '../model-ops.ts';
import type { Stage, StageContext, StageDeps, StageOutcome } from '../stage-context.ts';
import { toIngestPriority } from './ingest-turn.ts';
import { createLoudnessMeter, measureLoudness } from './loudness.ts';
import { reuseChunks } from './reuse-chunks.ts';
import { CutDiffers, keepChunk, keepManifest } from './same-cut.ts';
import { createSampleBuffer, type SampleBuffer } from './sample-buffer.ts';

const ingestVersion = 2;
const sampleRate = 16_000;
/** The detector's first look is short, so that the first window is cut soon; later ones are long, which is quicker. */
const firstBlockSamples = 384 * frameSamples;
const blockSamples = 1_920 * frameSamples;
/** Sound before each block that warms the detector up. */
const leadSamples = 32 * frameSamples;
const probeTimeoutMs = 30_000;
const listenTimeoutMs = 60_000;
/** The decoder waits for the detector, which may have others' work to do for hours: what it must keep is `maxStallMs`. */
const decodeTimeoutMs = 24 * 3_600_000;
const maxStallMs = 60_000;

/**
 * Decodes the recording, finds the speech, and cuts it into chunks, each of which is stored and queued as soon
 * as it is cut. Blocks have fixed sizes, so that a second run cuts exactly the same chunks. Where it does not, all of it is
 * done again from the beginning, as a new attempt.
 */
export const ingest: Stage = async (deps, context) => {
  try {
    return await cutRecording(deps, context);
  } catch (thrown) {
    if (!(thrown instanceof CutDiffers)) throw thrown;
    await context.updateRecord((current) => toRepeatedRecord(current, 'ingest'));
    return { pins: {} };
  }
};

async function cutRecording(deps: StageDeps, context: StageContext): Promise<StageOutcome> {
  const { record, attempt, signal } = context;
  const toAlgorithm = async () => `ffmpeg+${await deps.models.weightsName('vad')}@${ingestVersion}`;
  const reused = await reuseChunks(deps, context, await toAlgorithm());
  if (reused) return reused;
  const local = await deps.blobs.openLocal(record.media.key, { signal });
  // The speech model loads while ffmpeg looks at the file.
  const leasing = deps.models.speech.acquire(signal);
  leasing.catch(() => {});
  try {
    const { ffmpegPath, ffprobePath } = deps.config.media;
    const { isolation } = deps;
    const probed = await deps.tracer.span('probe', {}, () =>
      probeMedia({ ffprobePath, filePath: local.path, timeoutMs: probeTimeoutMs, signal, isolation }),
    );
    const { maxMediaSeconds } = deps.config.limits;
    const declaredSeconds = toBelievableSeconds(probed, record.media.bytes);
    if (declaredSeconds !== null && declaredSeconds > maxMediaSeconds) {
      throw new AppError(
        'media_too_long',
        `The recording lasts ${Math.round(declaredSeconds)} s; at most ${maxMediaSeconds} s are taken.`,
      );
    }
    if (declaredSeconds !== null) await keepDuration(deps, context, declaredSeconds);

    const probe = await chooseTrack({
      ffmpegPath,
      filePath: local.path,
      timeoutMs: listenTimeoutMs,
      isolation,
      probe: probed,
      signal,
    });
    const decoding = decodeToSamples({
      ffmpegPath,
      filePath: local.path,
      maxSeconds: maxMediaSeconds,
      timeoutMs: decodeTimeoutMs,
      maxStallMs,
      isolation,
      probe,
      signal,
    });
    const finished = deps.tracer.span('decode', {}, () => decoding.finished);
    finished.catch(() => {});
    const lease = await leasing;
    context.reportCold(lease.cold);
    const algorithm = await toAlgorithm();
    const meter = createLoudnessMeter();
    const samples = measureLoudness(decoding.samples, meter);
    const cut = await cutIntoChunks(deps, context, lease, samples, declaredSeconds);
    const decoded = await finished;

    const manifest: IngestManifest = {
      schemaVersion: 1,
      durationSeconds: decoded.decodedSeconds,
      speechSeconds: cut.speechSeconds,
      chunkCount: cut.chunkCount,
      warnings: decoded.warnings,
      loudness: Buffer.from(meter.finish()).toString('base64'),
    };
    const key = ingestManifestKey(record.id, attempt);
    await keepManifest(deps, context, manifest);
    await deps.events.publish(record.id, {
      type: 'lecture',
      changes: { durationSeconds: manifest.durationSeconds, warnings: manifest.warnings },
    });
    return {
      pins: { ingest: { key, algorithm } },
      change: (current) => ({ ...current, durationSeconds: manifest.durationSeconds, warnings: manifest.warnings }),
    };
  } finally {
    await leasing.then(
      (lease) => lease.release(),
      () => {},
    );
    await local.release();
  }
}

/** The declared length, before it is known how much can really be decoded: progress and estimates need it. */
async function keepDuration(deps: StageDeps, context: StageContext, durationSeconds: number): Promise<void> {
  const record = await context.updateRecord((current) =>
    current.durationSeconds === null ? { ...current, durationSeconds } : current,
  );
  await deps.events.publish(record.id, { type: 'lecture', changes: { durationSeconds, version: record.version } });
}

async function cutIntoChunks(
  deps: StageDeps,
  context: StageContext,
  lease: Lease,
  decoded: AsyncIterable<Int16Array>,
  declaredSeconds: number | null,
): Promise<{ chunkCount: number; speechSeconds: number }> {
  const cutter = createWindowCutter();
  const chunker = createChunker();
  const buffer = createSampleBuffer();
  const block = new Int16Array(leadSamples + blockSamples);
  const chunkSound = createScratch();
  let detectedSamples = 0;
  /** Where the first window begins that is cut but not yet in a stored chunk. */
  let pendingFrom: number | null = null;
  let chunkCount = 0;
  let speechSamples = 0;

  const store = async (group: WindowGroup | null): Promise<void> => {
    if (!group) return;
    await storeChunk(deps, context, group, buffer, chunkSound);
    chunkCount++;
    for (const window of group.windows) speechSamples += window.endSample - window.startSample;
    pendingFrom = null;
  };
  const take = async (windows: { startSample: number; endSample: number }[]): Promise<void> => {
    for (const window of windows) {
      pendingFrom ??= window.startSample;
      await store(chunker.push(window));
    }
  };
  const detect = async (samples: number): Promise<void> => {
    const lead = Math.min(leadSamples, detectedSamples);
    buffer.copy(detectedSamples - lead, detectedSamples + samples, block);
    const sound = block.subarray(0, lead + samples);
    const priority = toIngestPriority(context.record.createdAt, detectedSamples / sampleRate);
    const work = { priority, signal: context.signal };
    const { value } = await runVad(lease, { samples: sound, leadSamples: lead }, work);
    detectedSamples += samples;
    await take(cutter.push(value.probabilities));
    const windowsNeed = pendingFrom ?? cutter.earliestNeededSample;
    buffer.forget(Math.min(windowsNeed, detectedSamples - leadSamples));
    if (declaredSeconds) context.reportProgress(Math.min(0.99, detectedSamples / sampleRate / declaredSeconds));
  };

  for await (const piece of decoded) {
    buffer.append(piece);
    for (;;) {
      const size = detectedSamples === 0 ? firstBlockSamples : blockSamples;
      if (buffer.length - detectedSamples < size) break;
      await detect(size);
    }
  }
  const rest = Math.floor((buffer.length - detectedSamples) / frameSamples) * frameSamples;
  if (rest > 0) await detect(rest);
  await take(cutter.flush(buffer.length));
  await store(chunker.flush());
  return { chunkCount, speechSeconds: speechSamples / sampleRate };
}

async function storeChunk(
  deps: StageDeps,
  context: StageContext,
  group: WindowGroup,
  buffer: SampleBuffer,
  chunkSound: (sampleCount: number) => Int16Array,
): Promise<void> {
  const chunk = toChunk(group);
  const last = chunk.windows.at(-1);
  const samples = chunkSound(last ? last.sampleOffset + last.sampleCount : 0);
  group.windows.forEach((window, i) => {
    buffer.copy(window.startSample, window.endSample, samples.subarray(chunk.windows[i]?.sampleOffset));
  });
  await keepChunk(deps, context, chunk, samples);
  await deps.advance(context.record.id);
}

/** Memory for one array after the other: what the last call gave is overwritten by the next. */
function createScratch(): (sampleCount: number) => Int16Array {
  let memory = new Int16Array(0);
  return (sampleCount) => {
    if (memory.length < sampleCount) memory = new Int16Array(sampleCount);
    return memory.subarray(0, sampleCount);
  };
}
