import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecodeClipOptions, decodeClip } from '../src/decode-clip.ts';
import { canResample, resample } from '../src/resample.ts';
import { parseWav } from '../src/wav.ts';
import { ffmpegPath, loudness, makeFolder, makeMedia, makeWav, noIsolation, rate, shareOf } from './samples.ts';

let folder: string;
let tempDir: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
  tempDir = join(folder, 'temp');
});
afterAll(() => remove());

const decode = (bytes: Uint8Array, options: Partial<DecodeClipOptions> = {}) =>
  decodeClip({ bytes, ffmpegPath, maxSeconds: 60, timeoutMs: 120_000, tempDir, ...options });
const sine = (frequency: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${frequency}:d=${seconds}`];
const makeClip = async (name: string, ...args: string[]) =>
  new Uint8Array(await readFile(await makeMedia(join(folder, name), ...args)));

/** A tone of amplitude 1/2 as 16-bit numbers. */
function makeTone(frequency: number, sampleRate: number, seconds: number): Int16Array {
  return Int16Array.from({ length: sampleRate * seconds }, (_, i) =>
    Math.round(16_384 * Math.sin((2 * Math.PI * frequency * i) / sampleRate)),
  );
}

describe('decodeClip: WAV', () => {
  it.each([
    ['pcm_u8', 8000, 1],
    ['pcm_s16le', 16_000, 1],
    ['pcm_s16le', 44_100, 2],
    ['pcm_s24le', 48_000, 2],
    ['pcm_s32le', 96_000, 1],
    ['pcm_f32le', 22_050, 2],
    ['pcm_f64le', 11_025, 1],
    ['pcm_s16le', 192_000, 1],
  ])(
    '%s at %i Hz with %i channels: is read without a program, as ffmpeg would',
    async (codec, sampleRate, channels) => {
      const args = ['-c:a', codec, '-ar', String(sampleRate), '-ac', String(channels)];
      const bytes = await makeClip('a.wav', ...sine(440, 2), ...args);
      const { samples, durationSeconds, method, seconds } = await decode(bytes, { ffmpegPath: '/nowhere' });
      expect(method).toBe('wav');
      expect(durationSeconds).toBe(2);
      expect(samples).toHaveLength(2 * rate);
      expect(shareOf(samples, 440)).toBeGreaterThan(codec === 'pcm_u8' ? 0.99 : 0.999);
      // ffmpeg's tone has an amplitude of 1/8, and spread over two channels 3 dB less.
      expect(loudness(samples)).toBeCloseTo(0.125 / Math.SQRT2 / Math.sqrt(channels), 2);
      expect(seconds).toBeGreaterThan(0);
    },
  );

  it('sizes that lie (0, the greatest number, more than there is, less): what is there is read', async () => {
    const body = new Uint8Array(makeTone(440, rate, 1).buffer);
    const format = { rate, channels: 1, bits: 16 };
    for (const dataSize of [0, 0xffffffff, 0x7fffffff, body.length + 1]) {
      expect((await decode(makeWav(body, { ...format, dataSize }))).durationSeconds).toBe(1);
    }
    expect((await decode(makeWav(body, { ...format, dataSize: 1600 }))).durationSeconds).toBe(0.05);
    expect((await decode(makeWav(body, format).subarray(0, 44 + 1601))).durationSeconds).toBe(0.05);
  });

  it('the extensible header: is read; a stereo voice in opposite phase is not lost', async () => {
    const mono = makeTone(440, rate, 1);
    const stereo = new Int16Array(2 * mono.length);
    mono.forEach((sample, i) => {
      stereo[2 * i] = sample;
      stereo[2 * i + 1] = -sample;
    });
    const format = { rate, channels: 2, bits: 16, extensible: true };
    const { samples, method } = await decode(makeWav(new Uint8Array(stereo.buffer), format));
    expect(method).toBe('wav');
    expect(loudness(samples.subarray(1000))).toBeCloseTo(0.5 / Math.SQRT2, 2);
  });

  it('floats that are no numbers or beyond full scale: become silence or full scale', async () => {
    const floats = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, -2, 0.5);
    const bytes = makeWav(new Uint8Array(floats.buffer), { rate, channels: 1, bits: 32, tag: 3 });
    expect([...(await decode(bytes)).samples]).toEqual([0, 32_767, -32_767, 32_767, -32_767, 16_384]);
  });

  it('headers that make no sense: are left to ffmpeg', () => {
    const body = new Uint8Array(1000);
    const good = { rate, channels: 1, bits: 16 };
    expect(parseWav(makeWav(body, good))).not.toBeNull();
    const bad = [
      { rate: 0 },
      { rate: 4_000_000_000 },
      { channels: 0 },
      { channels: 3 },
      { bits: 0 },
      { bits: 12 },
      { tag: 7 },
    ];
    for (const change of bad)
      expect(parseWav(makeWav(body, { ...good, ...change })), JSON.stringify(change)).toBeNull();
    const whole = makeWav(body, good);
    for (let length = 0; length < 44; length++) expect(parseWav(whole.subarray(0, length))).toBeNull();
  });
});

describe('decodeClip: ffmpeg', () => {
  it.each([
    ['a.mp3', [], 'ffmpeg-pipe'],
    ['a.flac', [], 'ffmpeg-pipe'],
    ['a.webm', ['-c:a', 'libopus'], 'ffmpeg-pipe'],
    ['front.m4a', ['-movflags', '+faststart'], 'ffmpeg-pipe'],
    ['end.m4a', [], 'ffmpeg-file'],
    ['law.wav', ['-c:a', 'pcm_mulaw'], 'ffmpeg-pipe'],
    ['six.flac', ['-ac', '6'], 'ffmpeg-pipe'],
  ])('%s: is read, in the way that suits it', async (name, args, expected) => {
    const bytes = await makeClip(name, ...sine(440, 2), '-ar', '48000', ...args);
    const { samples, method } = await decode(bytes);
    expect(method).toBe(expected);
    expect(Math.abs(samples.length / rate - 2)).toBeLessThan(0.1);
    expect(shareOf(samples.subarray(2000, 30_000), 440)).toBeGreaterThan(0.98);
    expect(await readdir(tempDir).catch(() => [])).toEqual([]);
  });

  it('a clip in mono: keeps its loudness', async () => {
    const { samples } = await decode(await makeClip('mono.flac', ...sine(440, 1)));
    expect(loudness(samples)).toBeCloseTo(0.125 / Math.SQRT2, 2);
  });

  it('without isolation: gives the same samples', async () => {
    const bytes = await makeClip('same.flac', ...sine(440, 1));
    expect((await decode(bytes, { isolation: noIsolation })).samples).toEqual((await decode(bytes)).samples);
  });

  it('longer than allowed: media_too_long, whatever the kind; just as long: is read', async () => {
    for (const name of ['long.wav', 'long.mp3', 'long.m4a']) {
      const bytes = await makeClip(name, ...sine(440, 10));
      await expect(decode(bytes, { maxSeconds: 9 })).rejects.toMatchObject({ code: 'media_too_long' });
      expect((await decode(bytes, { maxSeconds: 10 })).durationSeconds).toBeCloseTo(10, 0);
    }
  });

  it('pictures without sound: no_audio', async () => {
    const bytes = await makeClip('silent.webm', '-f', 'lavfi', '-i', 'testsrc=d=1:s=64x64');
    await expect(decode(bytes)).rejects.toMatchObject({ code: 'no_audio' });
  });

  it('cancelled, and out of time: says which, and leaves no file', async () => {
    const bytes = await makeClip('c.m4a', ...sine(440, 5));
    await expect(decode(bytes, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(decode(bytes, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout' });
    const controller = new AbortController();
    const decoding = decode(bytes, { signal: controller.signal });
    controller.abort();
    await expect(decoding).rejects.toMatchObject({ code: 'cancelled' });
    expect(await readdir(tempDir)).toEqual([]);
  });

  it('without ffmpeg: says so for what needs it', async () => {
    const bytes = await makeClip('n.flac', ...sine(440, 1));
    await expect(decode(bytes, { ffmpegPath: '/nowhere/ffmpeg' })).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('resample', () => {
  it.each([8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])(
    'from %i Hz: keeps a tone in place and loudness',
    async (from) => {
      const output = await resample(makeTone(1000, from, 1), from, rate);
      expect(output).toHaveLength(rate);
      const expected = makeTone(1000, rate, 1);
      let error = 0;
      for (let i = 500; i < rate - 500; i++) error = Math.max(error, Math.abs((output[i] ?? 0) - (expected[i] ?? 0)));
      // Two 16-bit roundings, and a thousandth of the amplitude.
      expect(error).toBeLessThan(18);
    },
  );

  it.each([9000, 12_000, 15_500, 20_000])(
    'a tone of %i Hz, above what 16 kHz can hold: vanishes',
    async (frequency) => {
      const output = await resample(makeTone(frequency, 48_000, 1), 48_000, rate);
      expect(loudness(output.subarray(200, rate - 200))).toBeLessThan(0.35 / 3000);
    },
  );

  it('full scale: is clipped, not wrapped', async () => {
    const square = Int16Array.from({ length: 4800 }, (_, i) => (i % 96 < 48 ? 32_767 : -32_768));
    const output = await resample(square, 48_000, rate);
    for (let i = 100; i < 1500; i++) if (i % 32 > 4 && i % 32 < 12) expect(output[i]).toBeGreaterThan(25_000);
  });

  it('rates that share no factor: are left to ffmpeg, which reads them', async () => {
    expect(canResample(44_100, rate)).toBe(true);
    expect(canResample(191_999, rate)).toBe(false);
    const bytes = makeWav(new Uint8Array(makeTone(440, 191_999, 1).buffer), { rate: 191_999, channels: 1, bits: 16 });
    const { samples, method } = await decode(bytes);
    expect(method).toBe('ffmpeg-pipe');
    expect(shareOf(samples, 440)).toBeGreaterThan(0.99);
  });
});
