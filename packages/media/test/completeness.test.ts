import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { toBelievableSeconds } from '../src/completeness.ts';
import { decodeToSamples } from '../src/decode.ts';
import { createDecodeReporter } from '../src/decode-report.ts';
import { probeMedia } from '../src/probe.ts';
import { decodeWhole, ffmpegPath, ffprobePath, makeFolder, makeMedia } from './samples.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
});
afterAll(() => remove());

const seconds = 30;
/** Noise, so that every part of a file holds much the same number of bytes. */
const sound = ['-f', 'lavfi', '-i', `anoisesrc=d=${seconds}:r=32000:a=0.3:seed=1`];
const fragments = ['-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '500000'];
/** Every kind of container: name, arguments, and whether a cut file still declares its whole length. */
const kinds: [name: string, args: string[], declares: boolean][] = [
  ['a.wav', [], true],
  ['a.mp3', [], true],
  ['a.flac', [], true],
  ['front.m4a', ['-movflags', '+faststart'], true],
  ['a.mkv', ['-c:a', 'aac'], true],
  ['a.webm', ['-c:a', 'libopus'], true],
  ['opus.ogg', ['-c:a', 'libopus'], false],
  ['vorbis.ogg', ['-c:a', 'libvorbis'], false],
  ['pieces.mp4', ['-c:a', 'aac', ...fragments], false],
  ['a.ts', ['-c:a', 'aac'], false],
];

async function makeKind(name: string, args: string[]): Promise<{ path: string; bytes: Buffer }> {
  const path = await makeMedia(join(folder, name), ...sound, ...args);
  return { path, bytes: await readFile(path) };
}

describe('what is missing of a recording', () => {
  it.each(kinds)('%s, whole: is decoded in full, without a warning', async (name, args) => {
    const { path } = await makeKind(`whole-${name}`, args);
    const { decodedSeconds, warnings } = await decodeWhole(path);
    expect(Math.abs(decodedSeconds - seconds)).toBeLessThan(0.2);
    expect(warnings).toEqual([]);
  });

  it.each(kinds)(
    '%s, cut: what is there is decoded, and the warning says how much that is',
    async (name, args, declares) => {
      const { bytes } = await makeKind(`cut-${name}`, args);
      const path = join(folder, 'cut');
      await writeFile(path, bytes.subarray(0, Math.floor(bytes.length * 0.6) - 3));
      const { decodedSeconds, warnings } = await decodeWhole(path);
      expect(decodedSeconds).toBeGreaterThan(0.5 * seconds);
      expect(decodedSeconds).toBeLessThan(0.7 * seconds);
      const [warning] = warnings;
      expect(warning).toMatchObject({ code: 'incomplete_media', decodedSeconds: expect.closeTo(decodedSeconds, 0) });
      if (declares) expect(warning?.declaredSeconds).toBeCloseTo(seconds, 0);
      expect(warning?.message).toContain(`${Math.round(decodedSeconds)} s`);
    },
  );

  it.each(kinds.filter(([name]) => !/wav|mp3|pieces/.test(name)))(
    '%s, a tenth of its middle overwritten: keeps its times, and the warning says about how much is lost',
    async (name, args) => {
      const { bytes } = await makeKind(`hole-${name}`, args);
      const path = join(folder, 'hole');
      await writeFile(path, bytes.fill(0, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.6)));
      const { decodedSeconds, warnings } = await decodeWhole(path);
      expect(Math.abs(decodedSeconds - seconds)).toBeLessThan(0.5);
      expect(warnings).toMatchObject([{ code: 'damaged_media' }]);
      expect(warnings[0]?.damagedSeconds).toBeGreaterThan(0.06 * seconds);
      // Matroska finds its way again at the next cluster only, which is 5 s long.
      expect(warnings[0]?.damagedSeconds).toBeLessThan(0.1 * seconds + 6);
    },
  );

  it('an Ogg with a wrong bit in its last page: the loss of that page is said', async () => {
    const { bytes } = await makeKind('bit.ogg', ['-c:a', 'libvorbis']);
    const at = bytes.length - 1000;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    const path = join(folder, 'bit');
    await writeFile(path, bytes);
    expect((await decodeWhole(path)).warnings).toMatchObject([{ code: 'damaged_media', damagedSeconds: 1 }]);
  });

  it.each([
    ['a.mp3', []],
    ['pieces.mp4', ['-c:a', 'aac', ...fragments]],
  ])('%s, a tenth of its middle overwritten: the rest is too short, which is said', async (name, args) => {
    const { bytes } = await makeKind(`hole-${name}`, args);
    const path = join(folder, 'hole');
    await writeFile(path, bytes.fill(0, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.6)));
    const { decodedSeconds, warnings } = await decodeWhole(path);
    expect(decodedSeconds).toBeGreaterThan(0.4 * seconds);
    expect(decodedSeconds).toBeLessThan(0.95 * seconds);
    expect(warnings).toMatchObject([{ code: 'incomplete_media' }]);
  });

  it('a video whose sound ends before its pictures: is complete', async () => {
    for (const name of ['short.mkv', 'short.mp4']) {
      const pictures = ['-f', 'lavfi', '-i', 'testsrc=d=12:s=64x64:r=5'];
      const path = await makeMedia(join(folder, name), ...pictures, '-f', 'lavfi', '-i', 'sine=440:d=5');
      expect((await decodeWhole(path)).warnings, name).toEqual([]);
    }
  });
});

describe('a declared length that lies', () => {
  /** Sets the lengths in the header of an MP4 (mvhd, tkhd and mdhd of version 0), in units of its clocks. */
  async function declare(name: string, change: (duration: number) => number): Promise<string> {
    const bytes = await readFile(await makeMedia(join(folder, name), ...sound, '-movflags', '+faststart'));
    for (const [type, at] of [
      ['mvhd', 20],
      ['tkhd', 24],
      ['mdhd', 20],
    ] as const) {
      const offset = bytes.indexOf(type) + at;
      bytes.writeUInt32BE(change(bytes.readUInt32BE(offset)) >>> 0, offset);
    }
    // The edit list would say the true length.
    bytes.write('free', bytes.indexOf('edts'));
    const path = join(folder, `said-${name}`);
    await writeFile(path, bytes);
    return path;
  }

  it('longer, against the index of an MP4: the index is right', async () => {
    const { decodedSeconds, warnings } = await decodeWhole(await declare('longer.m4a', (duration) => duration * 2));
    expect(decodedSeconds).toBeCloseTo(seconds, 0);
    expect(warnings).toEqual([]);
  });

  it('longer, with no index to tell: all is decoded, and it is said that more was declared', async () => {
    const bytes = await readFile(await makeMedia(join(folder, 'longer.flac'), ...sound));
    // The low 32 bits of STREAMINFO's number of samples (RFC 9639).
    bytes.writeUInt32BE(2 * bytes.readUInt32BE(22), 22);
    const path = join(folder, 'said-longer.flac');
    await writeFile(path, bytes);
    const { decodedSeconds, warnings } = await decodeWhole(path);
    expect(decodedSeconds).toBeCloseTo(seconds, 0);
    expect(warnings).toMatchObject([{ code: 'incomplete_media', declaredSeconds: expect.closeTo(2 * seconds, 0) }]);
  });

  it('shorter: all is decoded', async () => {
    const { decodedSeconds, warnings } = await decodeWhole(await declare('shorter.m4a', (duration) => duration / 4));
    expect(decodedSeconds).toBeCloseTo(seconds, 0);
    expect(warnings).toEqual([]);
  });

  it('absurd: is not believed, so that the recording is read instead of refused', async () => {
    const path = await declare('absurd.m4a', () => 0xfffffff0);
    const probe = await probeMedia({ ffprobePath, filePath: path, timeoutMs: 120_000 });
    expect(probe.durationSeconds).toBeGreaterThan(28_800);
    expect(toBelievableSeconds(probe, (await readFile(path)).length)).toBeNull();
    expect((await decodeWhole(path)).decodedSeconds).toBeCloseTo(seconds, 0);
  });

  it('ten hours of silence in a small file: is believed', async () => {
    const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t', '36000'];
    const path = await makeMedia(join(folder, 'silence.flac'), ...silence);
    const probe = await probeMedia({ ffprobePath, filePath: path, timeoutMs: 120_000 });
    expect(toBelievableSeconds(probe, (await readFile(path)).length)).toBeCloseTo(36_000, 0);
  });
});

describe('createDecodeReporter', () => {
  it('lines in pieces: are put together; those of other streams do not count', () => {
    const reporter = createDecodeReporter(1);
    const text = [
      '[Parsed_aresample_0 @ 0x1] ch:1 chl:mono fmt:fltp r:22050Hz -> ch:1 chl:mono fmt:s16 r:16000Hz',
      'Error while decoding stream #0:1: Invalid data found when processing input',
      'Error while decoding stream #0:0: Invalid data found when processing input',
      '[Parsed_aresample_0 @ 0x1] [SWR @ 0x2] adding 16384 audio samples of silence',
      '[Parsed_aresample_0 @ 0x1] [SWR @ 0x2] adding 5666 audio samples of silence',
      '[Parsed_aresample_0 @ 0x1] [SWR @ 0x2] adding 4000 audio samples of silence',
      'file:/x: corrupt input packet in stream 1',
      '  Input stream #0:1 (audio): 11 packets read (2845 bytes); 10 frames decoded (22050 samples); ',
      '',
    ].join('\n');
    for (const character of text) reporter.push(character);
    expect(reporter.read()).toEqual({
      corruptPackets: 1,
      lostPages: false,
      failedPackets: 1,
      gapSeconds: 1,
      failedSeconds: 0.1,
    });
  });

  it('a line without an end: does not grow', () => {
    const reporter = createDecodeReporter(0);
    for (let i = 0; i < 1000; i++) reporter.push('x'.repeat(1000));
    reporter.push('\nError while decoding stream #0:0: x\n');
    expect(reporter.read().failedPackets).toBe(1);
  });
});

describe('a decoder that ends otherwise than it should', () => {
  const run = promisify(execFile);
  const script = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
    return path;
  };

  it('ended by the system in the middle: decoder_crashed, so that another try is made', async () => {
    const path = await makeMedia(join(folder, 'k.wav'), ...sound);
    const ended = await script('ended-ffmpeg', 'head -c 64000 /dev/zero\nkill -KILL $$');
    await expect(decodeWhole(path, { ffmpegPath: ended })).rejects.toMatchObject({
      code: 'decoder_crashed',
      retryable: true,
    });
    const probing = probeMedia({ ffprobePath: ended, filePath: path, timeoutMs: 120_000 });
    await expect(probing).rejects.toMatchObject({ code: 'decoder_crashed' });
  });

  it('that gives a little for ever: timeout, because it is slower than the recording plays', async () => {
    const path = await makeMedia(join(folder, 'd.wav'), ...sound);
    const dripping = await script('dripping-ffmpeg', 'while :; do printf xxxxxxxx; sleep 0.05; done');
    const decoding = decodeWhole(path, { ffmpegPath: dripping, maxStallMs: 400, timeoutMs: 120_000 });
    await expect(decoding).rejects.toMatchObject({ code: 'timeout' });
    // Neither it nor its child is left.
    const { stdout } = await run('ps', ['-eo', 'args']);
    expect(stdout).not.toContain(dripping);
  });

  it('stopped in the middle: is killed after maxStallMs', async () => {
    const filePath = await makeMedia(
      join(folder, 'stopped.flac'),
      '-f',
      'lavfi',
      '-i',
      'sine=440:d=1200',
      '-ar',
      '8000',
    );
    const find = async () => {
      const { stdout } = await run('ps', ['-eo', 'pid,args']);
      return stdout.split('\n').find((line) => line.includes(filePath));
    };
    const probe = await probeMedia({ ffprobePath, filePath, timeoutMs: 120_000 });
    const limits = { maxSeconds: 7200, timeoutMs: 3_600_000, maxStallMs: 60_000 };
    // However late the first sound comes, that is no stall; from then on a minute goes by in no time.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    let clock: NodeJS.Timeout | undefined;
    let isStopped = false;
    const read = async () => {
      for await (const _ of decodeToSamples({ ffmpegPath, filePath, probe, ...limits }).samples) {
        if (isStopped) continue;
        process.kill(Number.parseInt((await find()) ?? '', 10), 'SIGSTOP');
        isStopped = true;
        clock = setInterval(() => vi.advanceTimersByTime(10_000), 10);
      }
    };
    try {
      await expect(read()).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('any further') });
      expect(isStopped).toBe(true);
    } finally {
      clearInterval(clock);
      vi.useRealTimers();
    }
    expect(await find()).toBeUndefined();
  });
});
