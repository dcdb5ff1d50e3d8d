import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DecodeOptions, type DecodeResult, decodeToSamples } from '../src/decode.ts';
import type { Isolation } from '../src/isolation.ts';
import { probeMedia } from '../src/probe.ts';

export const ffmpegPath = 'ffmpeg';
export const ffprobePath = 'ffprobe';
export const rate = 16_000;

const run = promisify(execFile);

export async function makeFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-media-'));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** Makes a media file with ffmpeg's own sources, for example `-f lavfi -i sine=440:d=2`. */
export async function makeMedia(path: string, ...args: string[]): Promise<string> {
  await run(ffmpegPath, ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args, `file:${path}`]);
  return path;
}

export async function decodeWhole(
  filePath: string,
  options: Partial<DecodeOptions> = {},
): Promise<DecodeResult & { samples: Int16Array }> {
  const { isolation, signal } = options;
  const probe = options.probe ?? (await probeMedia({ ffprobePath, filePath, timeoutMs: 120_000, isolation, signal }));
  const limits = { maxSeconds: 600, timeoutMs: 120_000, maxStallMs: 60_000 };
  const decoding = decodeToSamples({ ffmpegPath, filePath, ...limits, ...options, probe });
  const parts: Int16Array[] = [];
  for await (const part of decoding.samples) parts.push(part);
  return { ...(await decoding.finished), samples: join16(parts) };
}

export function join16(parts: Int16Array[]): Int16Array {
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    samples.set(part, offset);
    offset += part.length;
  }
  return samples;
}

/** Root mean square, full scale is 1. */
export function loudness(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += (sample / 32_768) ** 2;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

/** The share of the energy that lies at one frequency (Hz): 1 for a pure tone of it. */
export function shareOf(samples: Int16Array, frequency: number, sampleRate = rate): number {
  let re = 0;
  let im = 0;
  let energy = 0;
  samples.forEach((sample, i) => {
    const angle = (2 * Math.PI * frequency * i) / sampleRate;
    re += sample * Math.cos(angle);
    im += sample * Math.sin(angle);
    energy += sample * sample;
  });
  return energy === 0 ? 0 : (2 * (re * re + im * im)) / (samples.length * energy);
}

/** A WAV file; `body` are its samples as they should lie in it. */
export function makeWav(
  body: Uint8Array,
  options: { rate: number; channels: number; bits: number; tag?: number; extensible?: boolean; dataSize?: number },
): Uint8Array {
  const { bits, channels } = options;
  const formatSize = options.extensible ? 40 : 16;
  const head = Buffer.alloc(20 + formatSize + 8);
  head.write('RIFF', 0);
  head.writeUInt32LE(head.length + body.length - 8, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(formatSize, 16);
  head.writeUInt16LE(options.extensible ? 0xfffe : (options.tag ?? 1), 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(options.rate, 24);
  head.writeUInt32LE(((options.rate * channels * bits) / 8) % 2 ** 32, 28);
  head.writeUInt16LE(((channels * bits) / 8) % 65_536, 32);
  head.writeUInt16LE(bits, 34);
  if (options.extensible) {
    head.writeUInt16LE(22, 36);
    head.writeUInt16LE(bits, 38);
    head.writeUInt16LE(options.tag ?? 1, 44);
    head.write('000000001000800000aa00389b71', 46, 'hex');
  }
  head.write('data', 20 + formatSize);
  head.writeUInt32LE(options.dataSize ?? body.length, 24 + formatSize);
  return new Uint8Array(Buffer.concat([head, body]));
}

export const noIsolation: Isolation = {
  prefix: [],
  withoutNetwork: false,
  memoryLimited: false,
  endsWithParent: false,
};
