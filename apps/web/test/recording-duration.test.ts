import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withDuration } from '../src/state/recording-duration.ts';

const run = promisify(execFile);
const silence = ['-f', 'lavfi', '-i', 'anullsrc=r=48000', '-t', '7', '-c:a', 'libopus', '-f', 'webm'];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-recording-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function make(name: string, args: string[]): Promise<Blob> {
  const file = path.join(dir, name);
  await run('ffmpeg', ['-nostdin', '-v', 'error', ...args, file]);
  return new Blob([await readFile(file)]);
}

async function probe(pieces: Blob[]): Promise<string> {
  const file = path.join(dir, 'probed.webm');
  await writeFile(file, new Uint8Array(await new Blob(pieces).arrayBuffer()));
  const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'csv=p=0', '-show_entries', 'format=duration', file]);
  return stdout.trim();
}

test('a recording that was written without its duration gets it, and plays as it did', async () => {
  // As browsers write: sizes that are not known yet, no duration.
  const live = await make('live.webm', [...silence, '-live', '1']);
  expect(await probe([live])).toBe('N/A');
  const pieces = await withDuration([live.slice(0, 100), live.slice(100)], 6.98);
  expect(Number(await probe(pieces))).toBeCloseTo(6.98);
  expect(new Blob(pieces).size).toBeLessThan(live.size + 20);
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-xerror', '-i', path.join(dir, 'probed.webm'), '-f', 'null', '-']);
});

test('what has a duration, or is no WebM, stays byte by byte', async () => {
  const whole = await make('whole.webm', silence);
  for (const blob of [whole, whole.slice(0, 30), new Blob(['RIFF, not at all']), new Blob([])]) {
    const same = new Blob(await withDuration([blob], 5));
    expect(Buffer.from(await same.arrayBuffer()).equals(Buffer.from(await blob.arrayBuffer()))).toBe(true);
  }
});
