import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AppError } from '@studymate/contracts/errors';
import { toDecodeOptions } from './formats.ts';
import { startMediaProcess } from './media-process.ts';
import type { AudioStream, MediaProbe, ProbeOptions } from './probe.ts';

export interface ChooseTrackOptions extends Omit<ProbeOptions, 'ffprobePath'> {
  ffmpegPath: string;
  probe: MediaProbe;
}

/** Screen recorders write up to six; of a file with more the others are not looked at. */
const maxTracks = 8;
/** Where a track is listened to, as shares of the recording, and for how long. */
const listenAt = [0, 1 / 3, 2 / 3];
const listenSeconds = 60;
/** -60 dB of full scale: above the noise that codecs make of silence, below any voice. */
const soundPeak = 33;

/**
 * Puts the first track in which something can be heard first: screen recorders write several, and the default one may
 * be of a microphone that was switched off. A file with one track is not looked at; when nothing is heard in any, the order
 * stays. Two calls give the same order, so it does not depend on how quick they are.
 *
 * Throws `timeout`, `cancelled`.
 */
export async function chooseTrack(options: ChooseTrackOptions): Promise<MediaProbe> {
  const { probe } = options;
  if (probe.audioStreams.length < 2) return probe;
  const deadlineMs = performance.now() + options.timeoutMs;
  for (const stream of probe.audioStreams.slice(0, maxTracks)) {
    for (const share of probe.durationSeconds === null ? [0] : listenAt) {
      const leftMs = deadlineMs - performance.now();
      const fromSeconds = share * (probe.durationSeconds ?? 0);
      if (!(await hasSound(options, stream, fromSeconds, Math.max(1, leftMs)))) continue;
      return { ...probe, audioStreams: [stream, ...probe.audioStreams.filter((other) => other !== stream)] };
    }
  }
  return probe;
}

async function hasSound(
  options: ChooseTrackOptions,
  stream: AudioStream,
  fromSeconds: number,
  timeoutMs: number,
): Promise<boolean> {
  const ffmpeg = await startMediaProcess({
    program: options.ffmpegPath,
    args: [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error', ...toDecodeOptions('file')],
      ...['-ss', fromSeconds.toFixed(3), '-i', `file:${resolve(options.filePath)}`, '-map', `0:${stream.index}`],
      // All channels: mixed to one, those in opposite phase would be silent.
      ...[
        '-vn',
        '-sn',
        '-dn',
        '-t',
        String(listenSeconds),
        '-ar',
        '8000',
        '-c:a',
        'pcm_s16le',
        '-f',
        's16le',
        'pipe:1',
      ],
    ],
    timeoutMs,
    signal: options.signal,
    isolation: options.isolation,
  });
  const heardEnough = new AppError('cancelled', 'Enough of the track was heard.');
  let isHeard = false;
  let odd: number | null = null;
  try {
    for await (const part of ffmpeg.stdout as AsyncIterable<Buffer>) {
      const bytes: Buffer = odd === null ? part : Buffer.concat([Buffer.of(odd), part]);
      odd = bytes.length % 2 === 1 ? (bytes.at(-1) as number) : null;
      for (let at = 0; at + 1 < bytes.length && !isHeard; at += 2)
        isHeard = Math.abs(bytes.readInt16LE(at)) > soundPeak;
      if (isHeard) break;
    }
  } catch {
    // Torn down because it was killed; `ended` knows why.
  } finally {
    ffmpeg.kill(heardEnough);
  }
  const { fault } = await ffmpeg.ended;
  if (fault && fault !== heardEnough) throw fault;
  return isHeard;
}
