import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeMedia } from '../src/probe.ts';
import { ffprobePath, makeFolder, makeMedia, makeWav } from './samples.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
});
afterAll(() => remove());

const probe = (filePath: string) => probeMedia({ ffprobePath, filePath, timeoutMs: 120_000 });
const tone = ['-f', 'lavfi', '-i', 'sine=440:d=2'];
const picture = ['-f', 'lavfi', '-i', 'testsrc=d=2:s=64x64'];

describe('probeMedia', () => {
  it('a sound file: gives its format, duration, codec, channels and rate', async () => {
    const path = await makeMedia(join(folder, 'a.m4a'), ...tone, '-ac', '2', '-ar', '48000');
    expect(await probe(path)).toMatchObject({
      formatName: 'mov,mp4,m4a,3gp,3g2,mj2',
      durationSeconds: expect.closeTo(2, 1),
      durationIsEstimate: false,
      audioStreams: [{ codec: 'aac', channels: 2, sampleRate: 48_000, isDefault: true, delaySeconds: 0 }],
      hasVideo: false,
    });
  });

  it('a video with two tracks: says that there are pictures, and gives the default track first', async () => {
    const two = [...picture, ...tone, '-f', 'lavfi', '-i', 'sine=880:d=2', '-map', '0', '-map', '1', '-map', '2'];
    const marks = ['-disposition:a:0', '0', '-disposition:a:1', 'default'];
    const path = await makeMedia(join(folder, 'two.mkv'), ...two, ...marks);
    const { hasVideo, audioStreams } = await probe(path);
    expect(hasVideo).toBe(true);
    expect(audioStreams.map(({ index }) => index)).toEqual([2, 1]);
  });

  it('a recorder’s stream without a duration: gives null', async () => {
    const path = await makeMedia(join(folder, 'live.webm'), ...tone, '-c:a', 'libopus', '-live', '1');
    expect((await probe(path)).durationSeconds).toBeNull();
  });

  it('an MP3 without an index: says that the duration is an estimate', async () => {
    const path = await makeMedia(join(folder, 'plain.mp3'), ...tone, '-write_xing', '0');
    expect((await probe(path)).durationIsEstimate).toBe(true);
  });

  it('a video without sound: no_audio', async () => {
    const path = await makeMedia(join(folder, 'silent.mp4'), ...picture);
    await expect(probe(path)).rejects.toMatchObject({ code: 'no_audio' });
  });

  it('a WAV with more channels than anybody has: unsupported_media', async () => {
    for (const channels of [65, 1000]) {
      const path = join(folder, `wide-${channels}.wav`);
      await writeFile(path, makeWav(new Uint8Array(channels * 200), { rate: 16_000, channels, bits: 16 }));
      await expect(probe(path)).rejects.toMatchObject({ code: expect.stringMatching(/unsupported_media|not_media/) });
    }
  });

  it('an MP4 whose index was never written: media_damaged', async () => {
    const path = await makeMedia(join(folder, 'whole.mp4'), ...tone);
    const { readFile } = await import('node:fs/promises');
    const bytes = await readFile(path);
    const cut = join(folder, 'no-extension');
    await writeFile(cut, bytes.subarray(0, bytes.indexOf('moov') - 4));
    await expect(probe(cut)).rejects.toMatchObject({ code: 'media_damaged' });
  });

  it('a missing file, a folder, an empty file: each has its code', async () => {
    await expect(probe(join(folder, 'none'))).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(probe(folder)).rejects.toMatchObject({ code: 'not_media' });
    await writeFile(join(folder, 'empty'), '');
    await expect(probe(join(folder, 'empty'))).rejects.toMatchObject({ code: 'file_empty' });
  });

  it('without ffprobe: says so, and that trying again will not help', async () => {
    const path = await makeMedia(join(folder, 'b.wav'), ...tone);
    const missing = probeMedia({ ffprobePath: '/nowhere/ffprobe', filePath: path, timeoutMs: 120_000 });
    await expect(missing).rejects.toMatchObject({
      code: 'internal',
      retryable: false,
      message: expect.stringContaining('/nowhere/ffprobe'),
    });
  });
});
