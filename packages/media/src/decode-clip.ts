import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AppError } from '@studymate/contracts/errors';
import type { DecodeMethod } from '@studymate/contracts/requests';
import { decodedSampleRate } from './decode.ts';
import { createDownmix } from './downmix.ts';
import { toDecodeOptions } from './formats.ts';
import { detectIsolation, type Isolation } from './isolation.ts';
import { decoderCrashed, nothingDecoded, toMediaError, tooLong } from './media-errors.ts';
import { startMediaProcess } from './media-process.ts';
import { canResample, resample } from './resample.ts';
import { parseWav, type WavSound } from './wav.ts';

export interface DecodeClipOptions {
  bytes: Uint8Array;
  ffmpegPath: string;
  maxSeconds: number;
  /** Wall clock for everything together. */
  timeoutMs: number;
  /** For recordings that can only be read from a file; made when missing. Nothing is left in it. */
  tempDir: string;
  signal?: AbortSignal | undefined;
  isolation?: Isolation | undefined;
}

export interface DecodedClip {
  /** 16 kHz mono. */
  samples: Int16Array;
  durationSeconds: number;
  method: DecodeMethod;
  /** How long the decoding took. */
  seconds: number;
}

/** Encoders pad: sixty seconds of AAC are a little more once decoded. */
const toleratedSeconds = 0.1;

/**
 * Decodes a short recording that is in memory. An uncompressed WAV is read here, without starting a program;
 * everything else goes through ffmpeg on a pipe, and from a temporary file if it cannot be read in one pass (an
 * MP4 with its index at the end).
 *
 * Throws `file_empty`, `not_media`, `no_audio`, `unsupported_media`, `media_damaged`, `media_too_long`,
 * `decoder_crashed`, `timeout`, `cancelled`.
 */
export async function decodeClip(options: DecodeClipOptions): Promise<DecodedClip> {
  const startedMs = performance.now();
  const { bytes, maxSeconds } = options;
  if (options.signal?.aborted) throw new AppError('cancelled', 'The work was cancelled.');
  if (bytes.length === 0) throw new AppError('file_empty', 'The file has no bytes.');
  const wav = parseWav(bytes);
  const { samples, method } =
    wav && wav.frameCount > 0 && canResample(wav.sampleRate, decodedSampleRate)
      ? { samples: await toSamples(wav, maxSeconds), method: 'wav' as const }
      : await decodeWithFfmpeg(options, startedMs);
  if (samples.length === 0) throw nothingDecoded();
  return {
    samples,
    durationSeconds: samples.length / decodedSampleRate,
    method,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** Throws `media_too_long`. */
async function toSamples(wav: WavSound, maxSeconds: number): Promise<Int16Array> {
  const maxFrames = Math.ceil((maxSeconds + toleratedSeconds) * wav.sampleRate);
  if (wav.frameCount > maxFrames) throw tooLong(maxSeconds);
  const frames = wav.read(maxFrames);
  const mono = wav.channels === 2 ? createDownmix({ sampleRate: wav.sampleRate })(frames) : frames;
  return resample(mono, wav.sampleRate, decodedSampleRate);
}

async function decodeWithFfmpeg(
  options: DecodeClipOptions,
  startedMs: number,
): Promise<{ samples: Int16Array; method: DecodeMethod }> {
  const isolation = options.isolation ?? (await detectIsolation());
  const run = (input: Input) => {
    const timeoutMs = Math.max(1, options.timeoutMs - (performance.now() - startedMs));
    return runFfmpeg({ ...options, isolation, timeoutMs }, input);
  };
  if (!hasIndexAtEnd(options.bytes)) {
    const piped = await run({ bytes: options.bytes });
    if (piped.samples) return { samples: piped.samples, method: 'ffmpeg-pipe' };
    // What is refused, or has no sound, is no better as a file.
    if (piped.error.code === 'unsupported_media' || piped.error.code === 'no_audio') throw piped.error;
  }

  const tempDir = resolve(options.tempDir);
  await mkdir(tempDir, { recursive: true });
  const path = join(tempDir, `${leftClipPrefix}${randomBytes(12).toString('hex')}`);
  const file = await open(path, 'wx', 0o600);
  try {
    try {
      await file.writeFile(options.bytes);
    } finally {
      await file.close();
    }
    const read = await run({ path });
    if (!read.samples) throw read.error;
    return { samples: read.samples, method: 'ffmpeg-file' };
  } finally {
    await unlink(path);
  }
}

/** Decoding is given seconds; what has lain for so long belongs to a process that was killed. */
const leftClipMs = 60 * 60 * 1000;
const leftClipPrefix = 'clip-';

/** Removes the clips that killed processes left in the folder of temporary files. @returns how many */
export async function removeLeftClips(tempDir: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(tempDir).catch(() => [])) {
    if (!name.startsWith(leftClipPrefix)) continue;
    const path = join(tempDir, name);
    const stats = await lstat(path).catch(() => null);
    if (!stats?.isFile() || stats.mtimeMs > Date.now() - leftClipMs) continue;
    await unlink(path).catch(() => undefined);
    removed++;
  }
  return removed;
}

/** Whether this is an MP4 whose sound comes before its index, as phones write it: no use to try it on a pipe. */
function hasIndexAtEnd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0, boxes = 0; offset + 8 <= bytes.length && boxes < 16; boxes++) {
    const name = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (boxes === 0 && name !== 'ftyp') return false;
    if (name === 'moov' || name === 'moof') return false;
    if (name === 'mdat') return true;
    offset += Math.max(8, view.getUint32(offset));
  }
  return false;
}

type Input = { bytes: Uint8Array } | { path: string };
type Outcome = { samples: Int16Array; error?: never } | { samples?: never; error: AppError };

/** @returns the samples, or why there are none; throws what another try would not change (`timeout`, …) */
async function runFfmpeg(options: DecodeClipOptions, input: Input): Promise<Outcome> {
  const { maxSeconds } = options;
  const isPipe = 'bytes' in input;
  const ffmpeg = await startMediaProcess({
    program: options.ffmpegPath,
    args: [
      ...['-hide_banner', ...(isPipe ? [] : ['-nostdin']), '-loglevel', 'warning'],
      ...[...toDecodeOptions(isPipe ? 'pipe' : 'file'), '-i', isPipe ? 'pipe:0' : `file:${input.path}`],
      // Stereo stays stereo: it is mixed here. WAV, because its header says which of the two it is.
      ...['-vn', '-sn', '-dn', '-af', 'aformat=channel_layouts=mono|stereo', '-ar', String(decodedSampleRate)],
      ...['-t', String(maxSeconds + 1), '-c:a', 'pcm_s16le', '-f', 'wav', 'pipe:1'],
    ],
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    isolation: options.isolation,
    ...(isPipe ? { input: input.bytes } : {}),
  });
  // Two channels of 16 bits, and a header.
  const maxBytes = Math.ceil((maxSeconds + 2) * decodedSampleRate * 4) + 4096;
  const parts: Buffer[] = [];
  let size = 0;
  ffmpeg.stdout.on('error', () => undefined);
  ffmpeg.stdout.on('data', (part: Buffer) => {
    size += part.length;
    if (size > maxBytes) ffmpeg.kill(tooLong(maxSeconds));
    else parts.push(part);
  });
  const { stderr, fault, exitCode, signal } = await ffmpeg.ended;
  if (fault) throw fault;
  if (signal) return { error: decoderCrashed(signal) };
  const wav = parseWav(Buffer.concat(parts));
  if (wav && wav.frameCount > 0) return { samples: await toSamples(wav, maxSeconds) };
  return { error: exitCode === 0 ? nothingDecoded() : toMediaError(stderr) };
}
