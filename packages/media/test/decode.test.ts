import { execFile } from 'node:child_process';
import { chmod, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeToSamples } from '../src/decode.ts';
import { detectIsolation } from '../src/isolation.ts';
import { probeMedia } from '../src/probe.ts';
import {
  decodeWhole,
  ffmpegPath,
  ffprobePath,
  loudness,
  makeFolder,
  makeMedia,
  makeWav,
  noIsolation,
  rate,
  shareOf,
} from './samples.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
});
afterAll(() => remove());

const run = promisify(execFile);
const sine = (frequency: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${frequency}:d=${seconds}`];
const stereo = (left: string, right: string, seconds = 3) => [
  ...['-f', 'lavfi', '-i', `aevalsrc=${left}|${right}:d=${seconds}:s=44100`],
];

/** Process ids of programs whose command line contains `text`. */
async function findProcesses(text: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid,args']);
  return stdout.split('\n').filter((line) => line.includes(text));
}

async function startDecoding(name: string, seconds = 1200) {
  const filePath = await makeMedia(join(folder, name), ...sine(440, seconds), '-ar', '8000', '-c:a', 'flac');
  const probe = await probeMedia({ ffprobePath, filePath, timeoutMs: 120_000 });
  return { ffmpegPath, filePath, probe, maxSeconds: 7200, timeoutMs: 120_000, maxStallMs: 60_000 };
}

describe('decodeToSamples', () => {
  it.each([
    ['a.wav', []],
    ['a.flac', []],
    ['a.m4a', []],
    ['a.mp3', []],
    ['a.ogg', ['-c:a', 'libopus']],
    ['a.webm', ['-c:a', 'libopus', '-live', '1']],
    ['a.ts', ['-c:a', 'aac']],
    ['a.aiff', ['-ar', '11025']],
    ['a.mov', ['-c:a', 'pcm_s24le', '-ar', '96000', '-ac', '6']],
  ])('%s of a tone: gives that tone at 16 kHz, in full length and loudness', async (name, args) => {
    const { samples, decodedSeconds, warnings } = await decodeWhole(
      await makeMedia(join(folder, name), ...sine(440, 3), ...args),
    );
    expect(decodedSeconds).toBeCloseTo(3, 0);
    expect(Math.abs(decodedSeconds - 3)).toBeLessThan(0.1);
    expect(samples).toHaveLength(decodedSeconds * rate);
    expect(shareOf(samples.subarray(rate, 2 * rate), 440)).toBeGreaterThan(0.98);
    // ffmpeg's sine has an amplitude of 1/8.
    if (!args.includes('-ac')) expect(loudness(samples.subarray(rate, 2 * rate))).toBeCloseTo(0.125 / Math.SQRT2, 2);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['the same in both channels', 'sin(440*2*PI*t)/2', 'sin(440*2*PI*t)/2', 0.35],
    ['opposite in the two channels', 'sin(440*2*PI*t)/2', '-sin(440*2*PI*t)/2', 0.35],
    ['opposite and weaker in one', 'sin(440*2*PI*t)/4', '-sin(440*2*PI*t)/2', 0.35],
    ['in the left channel alone', 'sin(440*2*PI*t)/2', '0', 0.17],
    ['in the right channel alone', '0', 'sin(440*2*PI*t)/2', 0.17],
  ])('a voice that is %s: is not lost', async (_, left, right, expected) => {
    const path = await makeMedia(join(folder, 'stereo.wav'), ...stereo(left, right));
    const { samples } = await decodeWhole(path);
    expect(samples).toHaveLength(3 * rate);
    const middle = samples.subarray(rate / 2, 2 * rate);
    expect(loudness(middle)).toBeGreaterThan(expected * 0.9);
    expect(shareOf(middle, 440)).toBeGreaterThan(0.98);
  });

  it('several tracks: decodes the default one', async () => {
    const inputs = [...sine(440, 2), ...sine(880, 2), '-map', '0', '-map', '1'];
    const marks = ['-disposition:a:0', '0', '-disposition:a:1', 'default'];
    const { samples } = await decodeWhole(await makeMedia(join(folder, 'two.mkv'), ...inputs, ...marks));
    expect(shareOf(samples.subarray(1000, 30_000), 880)).toBeGreaterThan(0.98);
  });

  it('sound that begins later than the pictures: keeps its place', async () => {
    const inputs = ['-f', 'lavfi', '-i', 'testsrc=d=6:s=64x64', '-itsoffset', '2', ...sine(440, 3)];
    const { samples } = await decodeWhole(await makeMedia(join(folder, 'late.mp4'), ...inputs));
    expect(samples.length / rate).toBeCloseTo(5, 0);
    expect(loudness(samples.subarray(0, 1.9 * rate))).toBe(0);
    expect(loudness(samples.subarray(2.1 * rate, 3 * rate))).toBeGreaterThan(0.05);
  });

  it('sixteen channels without a layout: takes their mean', async () => {
    const body = new Int16Array(rate * 16);
    for (let i = 0; i < body.length; i++) body[i] = i % 16 < 8 ? 8000 : 0;
    const path = join(folder, 'sixteen.wav');
    await writeFile(path, makeWav(new Uint8Array(body.buffer), { rate, channels: 16, bits: 16 }));
    const { samples } = await decodeWhole(path);
    expect(samples[5000]).toBeGreaterThan(3900);
    expect(samples[5000]).toBeLessThan(4100);
  });

  it('a file cut in half that declares its whole length: decodes the half and warns', async () => {
    const whole = await readFile(await makeMedia(join(folder, 'w.m4a'), ...sine(440, 20), '-movflags', '+faststart'));
    const path = join(folder, 'half.m4a');
    await writeFile(path, whole.subarray(0, whole.length / 2));
    const { decodedSeconds, warnings } = await decodeWhole(path);
    expect(decodedSeconds).toBeGreaterThan(5);
    expect(decodedSeconds).toBeLessThan(15);
    expect(warnings).toEqual([
      {
        code: 'incomplete_media',
        message: expect.stringContaining('of 20 s'),
        declaredSeconds: 20,
        decodedSeconds: expect.closeTo(decodedSeconds, 1),
      },
    ]);
  });

  it('a file whose sound was overwritten: media_damaged', async () => {
    const path = await makeMedia(join(folder, 'zero.m4a'), ...sine(440, 5), '-movflags', '+faststart');
    const file = await open(path, 'r+');
    const bytes = await readFile(path);
    const start = bytes.indexOf('mdat') + 4;
    await file.write(new Uint8Array(bytes.length - start), 0, bytes.length - start, start);
    await file.close();
    await expect(decodeWhole(path)).rejects.toMatchObject({ code: 'media_damaged' });
  });

  it('a recording longer than allowed: media_too_long, also when its header says otherwise', async () => {
    const path = await makeMedia(join(folder, 'long.flac'), ...sine(440, 30));
    await expect(decodeWhole(path, { maxSeconds: 29 })).rejects.toMatchObject({ code: 'media_too_long' });
    expect((await decodeWhole(path, { maxSeconds: 30 })).decodedSeconds).toBe(30);
  });

  it('names with quotes, newlines, colons, a leading dash, emoji: are only names', async () => {
    const names = [
      'a:b.wav',
      '-i',
      'it\'s "x".wav',
      'a\nb.wav',
      '$(touch x);`y`.wav',
      '🎓 öß.wav',
      '%03d.wav',
      'a b|c&d.wav',
    ];
    names.push(`${'n'.repeat(240)}.wav`, 'http:x.wav', 'concat:a|b');
    for (const name of names) {
      const path = await makeMedia(join(folder, 'named.wav'), ...sine(440, 1));
      const named = join(folder, name);
      await writeFile(named, await readFile(path));
      expect((await decodeWhole(named)).decodedSeconds, name).toBe(1);
    }
  });

  it('without any isolation: decodes the same', async () => {
    const path = await makeMedia(join(folder, 'bare.wav'), ...sine(440, 1));
    const bare = await decodeWhole(path, { isolation: noIsolation });
    expect(bare.samples).toEqual((await decodeWhole(path)).samples);
  });
});

describe('decodeToSamples: stopping', () => {
  it('aborted half-way: fails with cancelled and the process is gone', async () => {
    const options = await startDecoding('abort.flac');
    const controller = new AbortController();
    const { samples, finished } = decodeToSamples({ ...options, signal: controller.signal });
    const read = async () => {
      for await (const _ of samples) controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'cancelled' });
    await expect(finished).rejects.toMatchObject({ code: 'cancelled' });
    expect(await findProcesses(options.filePath)).toEqual([]);
  });

  it('aborted before it began: starts nothing', async () => {
    const options = await startDecoding('early.flac', 1);
    const { samples } = decodeToSamples({ ...options, signal: AbortSignal.abort() });
    const first = samples[Symbol.asyncIterator]().next();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('a consumer that stops reading: the process is gone when its loop is left', async () => {
    const options = await startDecoding('break.flac');
    const { samples, finished } = decodeToSamples(options);
    for await (const part of samples) {
      expect(part.length).toBeGreaterThan(0);
      expect(await findProcesses(options.filePath)).not.toEqual([]);
      break;
    }
    expect(await findProcesses(options.filePath)).toEqual([]);
    await expect(finished).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('a consumer that is slow: ffmpeg waits, its patience is not counted as a stall', async () => {
    const options = await startDecoding('slow.flac', 60);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      let waited = 0;
      let seconds = 0;
      for await (const part of decodeToSamples({ ...options, timeoutMs: 3_600_000 }).samples) {
        seconds += part.length / rate;
        if (waited++ < 2) vi.advanceTimersByTime(2 * options.maxStallMs);
      }
      expect(waited).toBeGreaterThan(2);
      expect(seconds).toBeCloseTo(60, 6);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a program that ignores SIGTERM and gives nothing: is killed after maxStallMs, and after timeoutMs', async () => {
    const options = await startDecoding('stuck.flac', 1);
    const stuck = join(folder, 'stuck-ffmpeg');
    await writeFile(stuck, '#!/bin/sh\ntrap "" TERM INT\nwhile :; do read -r x < /dev/zero; done\n');
    await chmod(stuck, 0o755);
    for (const limits of [
      { maxStallMs: 300, timeoutMs: 120_000 },
      { maxStallMs: 60_000, timeoutMs: 300 },
    ]) {
      const decoded = decodeWhole(options.filePath, { ...options, ...limits, ffmpegPath: stuck });
      await expect(decoded).rejects.toMatchObject({ code: 'timeout' });
      expect(await findProcesses(stuck)).toEqual([]);
    }
  });

  it('a program that crashes after some sound: gives that and warns', async () => {
    const options = await startDecoding('crash.flac', 1);
    const crashing = join(folder, 'crashing-ffmpeg');
    await writeFile(crashing, '#!/bin/sh\nhead -c 64000 /dev/zero\nkill -SEGV $$\n');
    await chmod(crashing, 0o755);
    const { decodedSeconds, warnings } = await decodeWhole(options.filePath, { ...options, ffmpegPath: crashing });
    expect(decodedSeconds).toBe(2);
    expect(warnings).toMatchObject([{ code: 'incomplete_media' }]);
  });

  it('the parent killed with -9: ffmpeg ends too', async (context) => {
    const isolation = await detectIsolation();
    if (!isolation.endsWithParent) return context.skip('setpriv does not work here');
    const [program = '', ...prefix] = isolation.prefix;
    const script = `
      const child = require('node:child_process').spawn(${JSON.stringify(program)},
        ${JSON.stringify([...prefix, 'sleep', '600'])}, {stdio: 'ignore'});
      child.once('spawn', () => console.log(child.pid));
      setInterval(() => {}, 1000);`;
    const parent = execFile(process.execPath, ['-e', script]);
    const pid = await new Promise<string>((resolve) =>
      parent.stdout?.once('data', (data) => resolve(String(data).trim())),
    );
    const isSleeping = async () => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes('sleep');
    await expect.poll(async () => (await readFile(`/proc/${pid}/comm`, 'utf8')).trim()).toBe('sleep');
    parent.kill('SIGKILL');
    await expect.poll(isSleeping).toBe(false);
  });
});
