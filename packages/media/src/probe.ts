import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { maxChannels, toProbeOptions } from './formats.ts';
import type { Isolation } from './isolation.ts';
import { decoderCrashed, toMediaError } from './media-errors.ts';
import { startMediaProcess } from './media-process.ts';

export interface AudioStream {
  /** Its number among all streams of the file. */
  index: number;
  codec: string;
  channels: number;
  sampleRate: number;
  /** As the stream declares it; null when it does not. */
  durationSeconds: number | null;
  /** How long after the beginning of the recording its sound begins, for example after a silent title. */
  delaySeconds: number;
  isDefault: boolean;
}

export interface MediaProbe {
  /** ffmpeg's name, for example "mov,mp4,m4a,3gp,3g2,mj2". */
  formatName: string;
  /** As the file declares it, which may be wrong; null when it does not. */
  durationSeconds: number | null;
  /** The duration was guessed from size and bit rate, so nothing follows when less is decoded. */
  durationIsEstimate: boolean;
  /** At least one; the one to be decoded first. */
  audioStreams: AudioStream[];
  hasVideo: boolean;
}

export interface ProbeOptions {
  ffprobePath: string;
  filePath: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  isolation?: Isolation | undefined;
}

const maxOutputBytes = 1024 * 1024;
const entries =
  'format=format_name,start_time,duration:stream=index,codec_type,codec_name,channels,sample_rate,start_time,duration' +
  ':stream_disposition=default,attached_pic:stream_tags=DURATION';

/**
 * What kind of recording a file is. Only its head and index are read.
 *
 * Throws `file_empty`, `not_media`, `no_audio`, `unsupported_media` (a kind that is not accepted, too many
 * channels, an unknown codec), `media_damaged`, `decoder_crashed`, `timeout`, `cancelled`.
 */
export async function probeMedia(options: ProbeOptions): Promise<MediaProbe> {
  const filePath = resolve(options.filePath);
  await assertReadableFile(filePath);
  const ffprobe = await startMediaProcess({
    program: options.ffprobePath,
    args: [
      ...['-hide_banner', '-loglevel', 'warning', ...toProbeOptions()],
      ...['-print_format', 'json', '-show_entries', entries, '-i', `file:${filePath}`],
    ],
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    isolation: options.isolation,
  });
  let output = '';
  ffprobe.stdout.setEncoding('utf8');
  ffprobe.stdout.on('error', () => undefined);
  ffprobe.stdout.on('data', (part: string) => {
    output += part;
    if (output.length > maxOutputBytes)
      ffprobe.kill(new AppError('unsupported_media', 'The file has too many streams.'));
  });
  const { exitCode, signal, stderr, fault } = await ffprobe.ended;
  if (fault) throw fault;
  if (signal) throw decoderCrashed(signal);
  if (exitCode !== 0) throw toMediaError(stderr);
  return toProbe(output, stderr);
}

/** Throws unless the path is a regular file with bytes in it. */
export async function assertReadableFile(filePath: string): Promise<void> {
  const stats = await stat(filePath).catch((cause) => {
    throw new AppError('storage_unavailable', 'The recording cannot be found in the store.', { cause });
  });
  if (!stats.isFile()) throw new AppError('not_media', 'This is not a file.');
  if (stats.size === 0) throw new AppError('file_empty', 'The file has no bytes.');
}

function toProbe(output: string, stderr: string): MediaProbe {
  const { streams, format } = parseOutput(output);
  const sound = streams.filter((stream) => stream.codec_type === 'audio');
  if (sound.length === 0) throw new AppError('no_audio', 'The file has no sound track.');
  const startSeconds = toSeconds(format.start_time) ?? 0;
  const audioStreams = sound.map((stream) => ({
    index: Number(stream.index),
    codec: typeof stream.codec_name === 'string' ? stream.codec_name : 'unknown',
    channels: Number(stream.channels ?? 0),
    sampleRate: Number(stream.sample_rate ?? 0),
    durationSeconds: toSeconds(stream.duration) ?? toTaggedSeconds(stream.tags),
    delaySeconds: Math.max(0, (toSeconds(stream.start_time) ?? 0) - startSeconds),
    isDefault: hasDisposition(stream, 'default'),
  }));
  // Stable: the default tracks first, and otherwise as they stand in the file. Those without a decoder last.
  audioStreams.sort(
    (a, b) =>
      Number(a.codec === 'unknown') - Number(b.codec === 'unknown') || Number(b.isDefault) - Number(a.isDefault),
  );
  const first = audioStreams[0];
  if (!first || first.codec === 'unknown') {
    throw new AppError('unsupported_media', 'The sound of this file is of a kind that cannot be read.');
  }
  if (first.channels > maxChannels) {
    throw new AppError(
      'unsupported_media',
      `The sound has ${first.channels} channels; at most ${maxChannels} are read.`,
    );
  }
  return {
    formatName: String(format.format_name ?? ''),
    durationSeconds: toSeconds(format.duration),
    durationIsEstimate: /Estimating duration from bitrate/i.test(stderr),
    audioStreams,
    hasVideo: streams.some((stream) => stream.codec_type === 'video' && !hasDisposition(stream, 'attached_pic')),
  };
}

/** Matroska says the length of a track in a tag, as "00:01:00.046000000". */
function toTaggedSeconds(tags: unknown): number | null {
  const match = isFields(tags) && /^(\d{1,4}):(\d\d):(\d\d(?:\.\d+)?)$/.exec(String(tags.DURATION ?? ''));
  if (!match) return null;
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
  return seconds > 0 ? seconds : null;
}

type Fields = Record<string, unknown>;

function parseOutput(output: string): { streams: Fields[]; format: Fields } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch (cause) {
    throw new AppError('not_media', 'The file is not a recording that can be read.', { cause });
  }
  const { streams, format } = isFields(parsed) ? parsed : {};
  return { streams: Array.isArray(streams) ? streams.filter(isFields) : [], format: isFields(format) ? format : {} };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function hasDisposition(stream: Fields, name: string): boolean {
  return isFields(stream.disposition) && stream.disposition[name] === 1;
}

function toSeconds(value: unknown): number | null {
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
