import { resolve as toAbsolute } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { AppError } from '@studymate/contracts/errors';
import type { LectureWarning } from '@studymate/contracts/warnings';
import { readFileEnds, toWarnings } from './completeness.ts';
import { createDecodeReporter, reportOptions } from './decode-report.ts';
import { createDownmix } from './downmix.ts';
import { toDecodeOptions } from './formats.ts';
import type { Isolation } from './isolation.ts';
import { decoderCrashed, nothingDecoded, tooLong } from './media-errors.ts';
import { startMediaProcess } from './media-process.ts';
import { type AudioStream, assertReadableFile, type MediaProbe } from './probe.ts';

/** What every model here hears. */
export const decodedSampleRate = 16_000;

export interface DecodeOptions {
  ffmpegPath: string;
  filePath: string;
  /** What `probeMedia` found: which track, how many channels, what duration is declared. */
  probe: MediaProbe;
  /** A longer recording ends in `media_too_long`. */
  maxSeconds: number;
  /** Wall clock from the first read to the end, the consumer's own time included; then `timeout`. */
  timeoutMs: number;
  /** How long ffmpeg may go without giving anything while the consumer waits for it; then `timeout`. */
  maxStallMs: number;
  signal?: AbortSignal | undefined;
  isolation?: Isolation | undefined;
}

export interface DecodeResult {
  decodedSeconds: number;
  /** `incomplete_media`, `damaged_media`: what could not be read of it. */
  warnings: LectureWarning[];
}

export interface Decoding {
  /** 16 kHz mono, in pieces of up to about two seconds. Can be read once; ffmpeg waits while nobody reads. */
  samples: AsyncIterable<Int16Array>;
  /** Settles when `samples` has ended, with the same error if it failed. Reading is what starts the work. */
  finished: Promise<DecodeResult>;
}

/** Containers round, and encoders begin early: no more than that. */
const ignoredDelaySeconds = 0.1;
/** A program's own faults. All others come from outside: the system is short of memory, somebody stops it. */
const crashSignals = new Set<string>(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP']);
/** 7.1 is the widest layout that ffmpeg mixes down by itself. */
const maxLaidOutChannels = 8;

/**
 * Decodes the sound of a file as it is read, in memory of fixed size.
 *
 * Gaps in the file's clock are filled with silence, so that times in the transcript are times in the player.
 * Throws, from `samples`: `media_damaged` when nothing can be decoded, `media_too_long`, `timeout` (also when ffmpeg
 * is slower than the recording plays), `cancelled`, and `decoder_crashed` when something else ended ffmpeg. Where
 * ffmpeg itself fails on the way, what it gave until then counts, with a warning: another try would end there too.
 * When the consumer stops reading early, or `signal` aborts, ffmpeg is killed before the iteration returns.
 */
export function decodeToSamples(options: DecodeOptions): Decoding {
  let succeed: (result: DecodeResult) => void = () => undefined;
  let fail: (thrown: unknown) => void = () => undefined;
  const finished = new Promise<DecodeResult>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  // The same error comes out of `samples`; who does not look here must not be killed by it.
  finished.catch(() => undefined);
  let started = false;

  async function* samples(): AsyncGenerator<Int16Array> {
    if (started) throw new AppError('internal', 'A decoding can be read only once.', { retryable: false });
    started = true;
    try {
      succeed(yield* decode(options));
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    } finally {
      fail(new AppError('cancelled', 'The decoding was not read to its end.'));
    }
  }
  return { samples: samples(), finished };
}

async function* decode(options: DecodeOptions): AsyncGenerator<Int16Array, DecodeResult> {
  const { probe, maxSeconds } = options;
  const filePath = toAbsolute(options.filePath);
  await assertReadableFile(filePath);
  const stream = probe.audioStreams[0];
  if (!stream) throw new AppError('no_audio', 'The file has no sound track.');
  const channels = stream.channels === 1 || stream.channels > maxLaidOutChannels ? 1 : 2;
  const reporter = createDecodeReporter(stream.index);
  const ffmpeg = await startMediaProcess({
    program: options.ffmpegPath,
    args: [
      ...['-hide_banner', '-nostdin', ...reportOptions, ...toDecodeOptions('file'), '-i', `file:${filePath}`],
      ...['-map', `0:${stream.index}`, '-vn', '-sn', '-dn', '-af', toFilter(stream, maxSeconds)],
      ...['-ac', String(channels), '-ar', String(decodedSampleRate), '-t', String(maxSeconds + 1)],
      ...['-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'],
    ],
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    isolation: options.isolation,
    onStderr: reporter.push,
  });
  let sampleCount = 0;
  try {
    const stalled = () => ffmpeg.kill(new AppError('timeout', 'The recording could not be read any further.'));
    const patienceMs = () => options.maxStallMs + (sampleCount / decodedSampleRate) * 1000;
    const mix = channels === 2 ? createDownmix({ sampleRate: decodedSampleRate }) : null;
    for await (const piece of toWholeFrames(
      readWatched(ffmpeg.stdout, { maxStallMs: options.maxStallMs, patienceMs, stalled }),
      channels,
    )) {
      const mono = mix ? mix(piece) : piece;
      sampleCount += mono.length;
      if (sampleCount > maxSeconds * decodedSampleRate) throw tooLong(maxSeconds);
      yield mono;
    }
    const { exitCode, signal, fault } = await ffmpeg.ended;
    if (fault) throw fault;
    if (signal && !crashSignals.has(signal)) throw decoderCrashed(signal);
    if (sampleCount === 0) throw nothingDecoded();
    const decodedSeconds = sampleCount / decodedSampleRate;
    const ends = await readFileEnds(filePath, probe.formatName);
    const report = reporter.read();
    return { decodedSeconds, warnings: toWarnings({ probe, decodedSeconds, brokeOff: exitCode !== 0, report, ends }) };
  } finally {
    // Nothing happens to a process that has ended; any other must not outlive its reader.
    ffmpeg.kill(new AppError('cancelled', 'The decoding was not read to its end.'));
    await ffmpeg.ended;
  }
}

/**
 * Fills gaps with silence, at the beginning too when the sound begins later than the recording. (Not always: it
 * would cut the beginning of MP3s, whose first time stamp is negative after the encoder's delay is taken off.)
 * Sound of many channels without a known layout becomes the mean of all.
 */
function toFilter({ channels, delaySeconds }: AudioStream, maxSeconds: number): string {
  const begin = delaySeconds > ignoredDelaySeconds && delaySeconds < maxSeconds ? ':first_pts=0' : '';
  const fill = `aresample=async=1${begin}`;
  if (channels <= maxLaidOutChannels) return fill;
  const mean = Array.from({ length: channels }, (_, i) => `${1 / channels}*c${i}`).join('+');
  return `pan=mono|c0=${mean},${fill}`;
}

/**
 * Reads a stream to its end. Calls `stalled` when a single read takes longer than `maxStallMs`, or all reads together
 * longer than `patienceMs()`, which grows with what has come.
 */
async function* readWatched(
  source: Readable,
  limits: { maxStallMs: number; patienceMs(): number; stalled(): void },
): AsyncGenerator<Uint8Array> {
  const parts: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  let waitedMs = 0;
  for (;;) {
    const askedMs = performance.now();
    const timer = setTimeout(limits.stalled, Math.max(0, Math.min(limits.maxStallMs, limits.patienceMs() - waitedMs)));
    try {
      const { done, value } = await parts.next();
      waitedMs += performance.now() - askedMs;
      if (done) return;
      clearTimeout(timer);
      yield value;
    } catch (thrown) {
      // The stream was torn down because the process was killed; `ended` knows why.
      if (source.destroyed) return;
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Bytes in any pieces as 16-bit numbers in whole frames; what remains of a half frame at the end is dropped. */
async function* toWholeFrames(source: AsyncIterable<Uint8Array>, channels: number): AsyncGenerator<Int16Array> {
  const frameBytes = 2 * channels;
  let rest = new Uint8Array();
  for await (const part of source) {
    const total = rest.length + part.length;
    const whole = total - (total % frameBytes);
    const bytes = new Uint8Array(total);
    bytes.set(rest);
    bytes.set(part, rest.length);
    rest = bytes.slice(whole);
    if (whole > 0) yield new Int16Array(bytes.buffer, 0, whole / 2);
  }
}
