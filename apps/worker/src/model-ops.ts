import { AppError } from '@studymate/contracts/errors';
import type { Lease } from '@studymate/models/model-family';
import type { RunOptions } from '@studymate/models/model-process';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import type { EmbedResult } from './model-process/text-runtime.ts';
import type { VadPayload } from './model-process/vad-lanes.ts';
import type { RankCandidatesPayload, RankedCandidates } from './model-process/whisper-candidates.ts';
import type { TranscribeWindowsPayload } from './model-process/whisper-transcribe.ts';

/** Lower goes first. A clip that somebody waits for comes before everything that belongs to a lecture. */
export const priorities = { quick: 0, firstChunk: 1, vad: 2, chunk: 3, study: 5 } as const;

/** A window takes about a second, and up to 10 more when clips interrupt it; a model that needs a minute hangs. */
const windowTimeoutMs = 60_000;

type WorkOptions = Pick<RunOptions, 'priority' | 'signal'>;

/** Quick work is done in the middle of a lecture's window: alone the window would take a clip's whole second. */
const toRunOptions = (options: WorkOptions): RunOptions => ({
  ...options,
  interrupts: options.priority === priorities.quick,
  timeoutMs: windowTimeoutMs,
});

export function runVad(lease: Lease, payload: VadPayload, options: WorkOptions) {
  return lease.run<{ probabilities: Float32Array }>('vad', payload, toRunOptions(options));
}

export function runTranscribeWindows(lease: Lease, payload: TranscribeWindowsPayload, options: WorkOptions) {
  const timeoutMs = windowTimeoutMs * Math.max(1, payload.windows.length);
  return lease.run<WindowTranscript[]>('transcribe-windows', payload, { ...toRunOptions(options), timeoutMs });
}

export function runRankCandidates(lease: Lease, payload: RankCandidatesPayload, options: WorkOptions) {
  return lease.run<RankedCandidates>('rank-candidates', payload, toRunOptions(options));
}

/** Texts go in pieces, so that a short request never waits for a long lecture's sentences. */
const textsAPiece = 128;

export async function runEmbed(lease: Lease, texts: string[], options: WorkOptions): Promise<EmbedResult> {
  const parts: EmbedResult[] = [];
  for (let i = 0; i < texts.length; i += textsAPiece) {
    const payload = { texts: texts.slice(i, i + textsAPiece) };
    const { value } = await lease.run<EmbedResult>('embed', payload, toRunOptions(options));
    parts.push(value);
  }
  const dimensions = parts[0]?.dimensions;
  if (dimensions === undefined) throw new AppError('invalid_request', 'There is no text to embed.');
  const vectors = new Float32Array(texts.length * dimensions);
  let offset = 0;
  for (const part of parts) {
    vectors.set(part.vectors, offset);
    offset += part.vectors.length;
  }
  return { dimensions, vectors };
}
