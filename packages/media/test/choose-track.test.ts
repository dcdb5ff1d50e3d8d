import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseTrack } from '../src/choose-track.ts';
import { probeMedia } from '../src/probe.ts';
import { decodeWhole, ffmpegPath, ffprobePath, makeFolder, makeMedia, rate, shareOf } from './samples.ts';

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await makeFolder());
});
afterAll(() => remove());

const silence = (seconds: number) => ['-f', 'lavfi', '-i', `anullsrc=r=44100:cl=stereo:d=${seconds}`];
const tone = (frequency: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${frequency}:d=${seconds}`];
const two = ['-map', '0', '-map', '1', '-disposition:a:0', 'default', '-disposition:a:1', '0', '-c:a', 'aac'];

async function choose(
  filePath: string,
  options: { timeoutMs?: number; signal?: AbortSignal; ffmpegPath?: string } = {},
) {
  const probe = await probeMedia({ ffprobePath, filePath, timeoutMs: 120_000 });
  return { probe, chosen: await chooseTrack({ ffmpegPath, filePath, probe, timeoutMs: 120_000, ...options }) };
}

describe('chooseTrack', () => {
  it('a default track without sound: takes the next that has some', async () => {
    const filePath = await makeMedia(join(folder, 'muted.mkv'), ...silence(4), ...tone(880, 4), ...two);
    const { chosen } = await choose(filePath);
    expect(chosen.audioStreams.map(({ index }) => index)).toEqual([1, 0]);
    const { samples } = await decodeWhole(filePath, { probe: chosen });
    expect(shareOf(samples.subarray(rate, 3 * rate), 880)).toBeGreaterThan(0.98);
  });

  it('a default track that begins late: stays the one', async () => {
    const late = ['-f', 'lavfi', '-i', "sine=440:d=200,volume=enable='lt(t,100)':volume=0"];
    const filePath = await makeMedia(join(folder, 'late.mp4'), ...late, ...tone(880, 200), ...two, '-ar', '16000');
    const { chosen } = await choose(filePath);
    expect(chosen.audioStreams.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('no track with sound: leaves the order', async () => {
    const filePath = await makeMedia(join(folder, 'mute.mkv'), ...silence(2), ...silence(2), ...two);
    const { probe, chosen } = await choose(filePath);
    expect(chosen).toBe(probe);
  });

  it('one track: is not looked at', async () => {
    const filePath = await makeMedia(join(folder, 'one.m4a'), ...silence(2));
    const { probe, chosen } = await choose(filePath, { ffmpegPath: '/nowhere' });
    expect(chosen).toBe(probe);
  });

  it('cancelled, or out of time: says which', async () => {
    const filePath = await makeMedia(join(folder, 'c.mkv'), ...silence(2), ...tone(440, 2), ...two);
    await expect(choose(filePath, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(choose(filePath, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
