import type { Config } from '@studymate/config/config';
import { AppError } from '@studymate/contracts/errors';
import type { TranscribeResponse, TranscribeSegmentsResponse } from '@studymate/contracts/requests';
import { decodeClip } from '@studymate/media/decode-clip';
import type { Isolation } from '@studymate/media/isolation';
import type { Lease } from '@studymate/models/model-family';
import type { Tracer } from '@studymate/observability/tracer';
import type { QuickJobData } from '@studymate/queue/job-catalogue';
import { assembleChunk } from '@studymate/speech/assemble';
import { createWindowCutter } from '@studymate/speech/cut-windows';
import { isUnspacedLanguage } from '@studymate/speech/languages';
import { toSegmentDecodings } from '@studymate/speech/segment-decodings';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import type { BlobStore } from '@studymate/storage/blob-store';
import { priorities, runRankCandidates, runVad } from '../model-ops.ts';
import type { Models } from '../models.ts';
import { transcribeInOrder } from '../transcribe-in-order.ts';

const sampleRate = 16_000;
const maxClipSeconds = 60;
const decodeTimeoutMs = 20_000;
/** A clip up to this long goes to the model whole: cutting could only lose the edges of a short word. */
const maxWholeSeconds = 28;

export interface ClipDeps {
  config: Config;
  blobs: BlobStore;
  models: Models;
  tempDir: string;
  isolation: Isolation;
  tracer: Tracer;
}

type ClipJob = Extract<QuickJobData, { kind: 'transcribe' }>;

/** Transcribes a short recording at once. */
export async function transcribeClip(
  deps: ClipDeps,
  data: ClipJob,
  signal: AbortSignal,
): Promise<TranscribeResponse | TranscribeSegmentsResponse> {
  const bytes = await deps.blobs.read(data.clipKey);
  if (!bytes) throw new AppError('cancelled', 'The clip is gone: its request has ended.');
  const { config, models } = deps;
  // The model loads while the sound is decoded.
  const [lease, clip] = await acquireBoth(
    models.speech.acquire(signal),
    deps.tracer.span('decode', {}, () =>
      decodeClip({
        bytes,
        ffmpegPath: config.media.ffmpegPath,
        maxSeconds: maxClipSeconds,
        timeoutMs: decodeTimeoutMs,
        tempDir: deps.tempDir,
        isolation: deps.isolation,
        signal,
      }),
    ),
  );
  try {
    const { candidates } = data;
    const ranked = candidates && (await rankCandidates(lease, clip.samples, { ...data, candidates, signal }));
    const expected = data.language ?? ranked?.language ?? null;
    const spans = await findSpans(lease, clip.samples, signal);
    const { results, seconds: inferenceSeconds } = await transcribeInOrder(
      lease,
      spans.map(({ start, end }) => clip.samples.subarray(start, end)),
      { language: expected, recognition: data.recognition, priority: priorities.quick, signal },
    );
    const { segments, decodings } = toSegmentsOf(spans, results);
    const words = segments.flatMap((segment) => segment.words);
    const spoken = results.find((result) => result.words.length > 0);
    const language = spoken?.language ?? data.language;
    return {
      text: results
        .map((result) => result.text.trim())
        .filter((text) => text !== '')
        .join(isUnspacedLanguage(language) ? '' : ' '),
      language,
      languageProbability: spoken?.languageProbability ?? null,
      confidence: words.length === 0 ? 0 : words.reduce((sum, word) => sum + word.probability, 0) / words.length,
      words,
      durationSeconds: clip.durationSeconds,
      ...ranked?.answer,
      timings: {
        decodeSeconds: clip.seconds,
        decodeMethod: clip.method,
        modelLoadSeconds: lease.loadSeconds,
        inferenceSeconds: inferenceSeconds + (ranked?.seconds ?? 0),
        cold: lease.cold,
        cached: false,
      },
      ...(data.withSegments && { segments, decodings }),
    };
  } finally {
    lease.release();
  }
}

/** The segments as a lecture's chunk of these windows has them, and how the model came to them. */
function toSegmentsOf(
  spans: readonly { start: number; end: number }[],
  results: readonly WindowTranscript[],
): Pick<TranscribeSegmentsResponse, 'segments' | 'decodings'> {
  const windows = spans.map(({ start, end }) => ({
    start: start / sampleRate,
    end: end / sampleRate,
    sampleOffset: start,
    sampleCount: end - start,
  }));
  const segments = assembleChunk({ windows }, results);
  return { segments, decodings: toSegmentDecodings({ windows }, results, segments) ?? [] };
}

/**
 * Which candidate is spoken. They also tell the language, which one word alone does not tell well.
 * @throws AppError `media_too_long`, `invalid_request` (candidates that are too long together)
 */
async function rankCandidates(
  lease: Lease,
  samples: Int16Array,
  { candidates, language, signal }: { candidates: string[]; language: string | null; signal: AbortSignal },
) {
  if (samples.length > maxWholeSeconds * sampleRate) {
    throw new AppError('media_too_long', `With candidates a clip may have ${maxWholeSeconds} s.`);
  }
  const payload = { samples, candidates, language };
  const { value, seconds } = await runRankCandidates(lease, payload, { priority: priorities.quick, signal });
  const ranking = candidates
    .map((text, i) => ({ text, probability: value.probabilities[i] as number }))
    .sort((a, b) => b.probability - a.probability);
  return {
    language: value.language,
    seconds,
    answer: { candidates: ranking, candidatesConfidence: value.anyProbability },
  };
}

/** Both at once; when one fails the lease is not left behind. */
async function acquireBoth<L extends { release(): void }, D>(
  leasing: Promise<L>,
  decoding: Promise<D>,
): Promise<[L, D]> {
  const [lease, decoded] = await Promise.allSettled([leasing, decoding]);
  if (lease.status === 'fulfilled' && decoded.status === 'fulfilled') return [lease.value, decoded.value];
  if (lease.status === 'fulfilled') lease.value.release();
  // What is wrong with the clip says more to the caller than what is wrong with the model.
  throw decoded.status === 'rejected' ? decoded.reason : (lease as PromiseRejectedResult).reason;
}

/** The stretches (in samples) to transcribe: none where nobody speaks. */
export async function findSpans(
  lease: Lease,
  samples: Int16Array,
  signal: AbortSignal,
): Promise<{ start: number; end: number }[]> {
  const { value } = await runVad(lease, { samples, leadSamples: 0 }, { priority: priorities.quick, signal });
  const cutter = createWindowCutter();
  const windows = [...cutter.push(value.probabilities), ...cutter.flush(samples.length)];
  if (windows.length === 0) return [];
  if (samples.length <= maxWholeSeconds * sampleRate) return [{ start: 0, end: samples.length }];
  return windows.map((window) => ({ start: window.startSample, end: Math.min(window.endSample, samples.length) }));
}
