import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '@studymate/contracts/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeToSamples } from '../src/decode.ts';
import { decodeClip } from '../src/decode-clip.ts';
import { detectIsolation, type Isolation } from '../src/isolation.ts';
import { probeMedia } from '../src/probe.ts';
import { decodeWhole, ffmpegPath, ffprobePath, makeFolder, makeMedia, makeWav, rate, shareOf } from './samples.ts';

let folder: string;
let isolation: Isolation;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
  isolation = await detectIsolation();
});
afterAll(() => remove());

const tone = (frequency: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${frequency}:d=${seconds}`];
const pictures = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc=d=${seconds}:s=64x64:r=2`];
const toCode = (thrown: unknown) => (thrown instanceof AppError ? thrown.code : String(thrown));

async function write(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** An ID3v2.4 tag with one frame of so many bytes. */
function makeId3(bytes: number): Buffer {
  const syncSafe = (n: number) => Buffer.from([(n >> 21) & 127, (n >> 14) & 127, (n >> 7) & 127, n & 127]);
  const head = Buffer.concat([Buffer.from('ID3\x04\x00\x00', 'latin1'), syncSafe(bytes + 10)]);
  return Buffer.concat([head, Buffer.from('PRIV'), syncSafe(bytes), Buffer.alloc(2), Buffer.alloc(bytes, 'x')]);
}

describe('unusual recordings that are to be read', () => {
  it('an MP3 behind 10 MB of tags, and one with a cover: give their sound', async () => {
    const plain = await makeMedia(join(folder, 'plain.mp3'), ...tone(440, 3));
    const tagged = await write('tagged.mp3', Buffer.concat([makeId3(10 * 2 ** 20), await readFile(plain)]));
    const cover = ['-map', '0', '-map', '1', '-disposition:v', 'attached_pic'];
    const covered = await makeMedia(join(folder, 'covered.mp3'), ...tone(440, 3), ...pictures(1), '-r', '1', ...cover);
    for (const path of [tagged, covered]) {
      const { samples, warnings } = await decodeWhole(path);
      expect(Math.abs(samples.length / rate - 3)).toBeLessThan(0.1);
      expect(shareOf(samples.subarray(rate, 2 * rate), 440)).toBeGreaterThan(0.98);
      expect(warnings).toEqual([]);
    }
    expect((await probeMedia({ ffprobePath, filePath: covered, timeoutMs: 120_000 })).hasVideo).toBe(false);
  });

  it('an Ogg of two recordings, one after the other: gives both', async () => {
    const parts = await Promise.all(
      [440, 880].map(async (frequency) =>
        readFile(await makeMedia(join(folder, `${frequency}.ogg`), ...tone(frequency, 4))),
      ),
    );
    const { samples, warnings } = await decodeWhole(await write('chained.ogg', Buffer.concat(parts)));
    expect(Math.abs(samples.length / rate - 8)).toBeLessThan(0.2);
    expect(shareOf(samples.subarray(rate, 3 * rate), 440)).toBeGreaterThan(0.98);
    expect(shareOf(samples.subarray(5 * rate, 7 * rate), 880)).toBeGreaterThan(0.98);
    expect(warnings).toEqual([]);
  });

  it('two hundred tracks: the first is read', async () => {
    const maps = Array.from({ length: 200 }, () => ['-map', '0:a']).flat();
    const path = await makeMedia(join(folder, 'tracks.mkv'), ...tone(440, 2), ...maps, '-c:a', 'libopus');
    expect((await probeMedia({ ffprobePath, filePath: path, timeoutMs: 120_000 })).audioStreams).toHaveLength(200);
    expect(Math.abs((await decodeWhole(path)).decodedSeconds - 2)).toBeLessThan(0.1);
  });

  it('a video with a font and subtitles in it: gives its sound', async () => {
    const subtitles = await write('words.srt', '1\n00:00:00,000 --> 00:00:01,000\nhello\n');
    const font = await write('font.ttf', randomBytes(2000));
    const attached = ['-attach', font, '-metadata:s:t', 'mimetype=font/ttf'];
    const inputs = [...pictures(3), ...tone(440, 3), '-i', subtitles, '-map', '0', '-map', '1', '-map', '2'];
    const path = await makeMedia(join(folder, 'full.mkv'), ...inputs, ...attached, '-c:v', 'mpeg4');
    const { samples } = await decodeWhole(path);
    expect(shareOf(samples.subarray(rate, 2 * rate), 440)).toBeGreaterThan(0.98);
  });

  it('sound of a telephone (8 kHz, mu-law), and sound that is clipped: keep their tone', async () => {
    const phone = await makeMedia(join(folder, 'phone.wav'), ...tone(440, 2), '-ar', '8000', '-c:a', 'pcm_mulaw');
    const clipped = await makeMedia(join(folder, 'clipped.wav'), ...tone(440, 2), '-af', 'volume=30dB');
    expect(shareOf((await decodeWhole(phone)).samples.subarray(1000, 30_000), 440)).toBeGreaterThan(0.98);
    const { samples } = await decodeWhole(clipped);
    // A square wave holds 8/π² of its energy in its first tone.
    expect(shareOf(samples.subarray(1000, 30_000), 440)).toBeGreaterThan(0.75);
    expect(samples.every((sample) => Math.abs(sample) <= 32_768)).toBe(true);
  });

  it('10 MHz: is read; 1 Hz: is read as long as it says', async () => {
    const fast = await write(
      'fast.wav',
      makeWav(new Uint8Array(4_000_000), { rate: 10_000_000, channels: 1, bits: 16 }),
    );
    expect((await decodeWhole(fast)).decodedSeconds).toBeCloseTo(0.2, 1);
    const slow = await write('slow.wav', makeWav(new Uint8Array(200), { rate: 1, channels: 1, bits: 16 }));
    expect((await decodeWhole(slow)).decodedSeconds).toBeCloseTo(100, 0);
  });
});

describe('recordings beyond the limits', () => {
  const limits = { maxSeconds: 60, timeoutMs: 120_000, maxStallMs: 60_000 };

  it.each([
    ['small, and says how long it is', ['-c:a', 'flac'], 'silence.flac', false],
    ['small, and does not say', ['-c:a', 'libopus', '-live', '1'], 'silence.webm', true],
  ])('longer than allowed, %s: media_too_long, after no more than the limit', async (_, args, name, isUnknown) => {
    const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '300'];
    const filePath = await makeMedia(join(folder, name), ...silence, ...args);
    const probe = await probeMedia({ ffprobePath, filePath, timeoutMs: 120_000, isolation });
    expect(probe.durationSeconds === null).toBe(isUnknown);
    let samplesRead = 0;
    const read = async () => {
      for await (const piece of decodeToSamples({ ffmpegPath, filePath, probe, isolation, ...limits }).samples) {
        samplesRead += piece.length;
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'media_too_long' });
    expect(samplesRead).toBeLessThanOrEqual(limits.maxSeconds * rate);
  });

  it('1 Hz and many samples: media_too_long', async () => {
    const path = await write('days.wav', makeWav(new Uint8Array(200_000), { rate: 1, channels: 1, bits: 16 }));
    await expect(decodeWhole(path, limits)).rejects.toMatchObject({ code: 'media_too_long' });
  });

  it('no channels, 65,535 channels, a rate of 4 GHz: are refused', async () => {
    for (const change of [{ channels: 0 }, { channels: 65_535 }, { rate: 4_294_967_295 }]) {
      const path = join(folder, 'wild.wav');
      await writeFile(path, makeWav(new Uint8Array(400_000), { rate, channels: 1, bits: 16, ...change }));
      expect(['not_media', 'unsupported_media']).toContain(await decodeWhole(path, limits).catch(toCode));
    }
  });
});

describe('a clip of twenty channels without a layout', () => {
  it('is refused for that, not as something that is no recording', async () => {
    const bytes = makeWav(new Uint8Array(20 * 2 * rate), { rate, channels: 20, bits: 16 });
    const clip = decodeClip({
      bytes,
      ffmpegPath,
      maxSeconds: 60,
      timeoutMs: 120_000,
      tempDir: join(folder, 'wide'),
      isolation,
    });
    await expect(clip).rejects.toMatchObject({
      code: 'unsupported_media',
      message: expect.stringContaining('channels'),
    });
  });
});

/** A collection of odd and broken recordings that lies beside the checkout on some machines. */
const collection = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data', 'media');

/** What becomes of those that are not simply decoded in full: as a lecture, and as a clip where that differs. */
const expected: Record<string, string | [lecture: string, clip: string]> = {
  ...Object.fromEntries(
    [
      ...['annex-b-avc.mkv', 'annex-b.mp4', 'cursed-vfr.mp4', 'entry24-segment3.ts', 'frames.webm', 'sar_2x1.mp4'],
      ...['transparency-faulty.webm', '64bit.mp4', 'sample.oggtheora'],
    ].map((name) => [name, 'no_audio']),
  ),
  ...Object.fromEntries(
    [
      ...['106-invalid-streaminfo.flac', '106-short-picture-block-size.flac', '145-invalid-item-count.apev2'],
      ...['5644800-2ch-s01-silence-dst.dff', 'adif.aac', 'almostempty.mpc', 'azure_missing_wav_header.wav'],
      ...['bad-POPM-frame.mp3', 'brokentag.apev2', 'empty.ofr', 'empty.ofs', 'id3v23_unsynch.id3', 'oldtag.apev2'],
      ...[
        'id3v24_extended_header.id3',
        'ooming-header.flac',
        'ps_bad.wav',
        'ps_evil.wav',
        'sample.mid',
        'too-short.mp3',
      ],
      ...['sample_bitrate.oggtheora', 'silence-2s-44100-16.ofr', 'silence-2s-44100-16.ofs', 'sv4_header.mpc'],
      'sv5_header.mpc',
    ].map((name) => [name, 'not_media']),
  ),
  ...Object.fromEntries(
    [
      ...['2822400-1ch-0s-silence.dff', '2822400-1ch-0s-silence.dsf', '52-overwritten-metadata.flac', 'ps_awful.wav'],
      ...['flac_application.flac', 'mac-390-hdr.ape', 'nero-chapters.m4b', 'ps_null.wav', 'truncated-64bit.mp4'],
      ...['with-id3.dsf', 'without-id3.dsf'],
    ].map((name) => [name, 'media_damaged']),
  ),
  ...Object.fromEntries(
    ['52-too-short-block-size.flac', 'apev2-lyricsv2.mp3', 'variable-block.flac', 'vbri.mp3'].map((name) => [
      name,
      ['incomplete_media', 'decoded'],
    ]),
  ),
  'image.jpg': 'unsupported_media',
  'emptyfile.mp3': 'file_empty',
};

describe('the collection of odd recordings', () => {
  it('every file: ends as expected, as a lecture and as a clip', async (context) => {
    const groups = await readdir(collection).catch(() => null);
    if (!groups) return context.skip('the collection is not beside this checkout');
    const tempDir = join(folder, 'collection-clips');
    const found: Record<string, unknown> = {};
    const wanted: Record<string, unknown> = {};
    const files: string[] = [];
    for (const group of groups) {
      for (const name of await readdir(join(collection, group))) files.push(join(collection, group, name));
    }
    const read = async () => {
      for (let filePath = files.pop(); filePath !== undefined; filePath = files.pop()) {
        const name = basename(filePath);
        const lecture = await decodeWhole(filePath, { isolation }).then(
          ({ warnings }) => warnings.map(({ code }) => code).join() || 'decoded',
          toCode,
        );
        const bytes = new Uint8Array(await readFile(filePath));
        const limits = { maxSeconds: 60, timeoutMs: 120_000 };
        const clip = await decodeClip({ bytes, ffmpegPath, tempDir, isolation, ...limits }).then(
          () => 'decoded',
          toCode,
        );
        found[name] = [lecture, clip];
        const outcome = expected[name] ?? 'decoded';
        wanted[name] = typeof outcome === 'string' ? [outcome, outcome] : outcome;
      }
    };
    await Promise.all([read(), read(), read()]);
    expect(Object.keys(found).length).toBeGreaterThan(100);
    expect(found).toEqual(wanted);
    expect(await readdir(tempDir)).toEqual([]);
  }, 300_000);
});
