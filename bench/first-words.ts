import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type RunningSystem, startSystem } from '../e2e/support/running-system.ts';
import { sampleOf } from './lib/prometheus.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about =
  'last byte acknowledged → first event with text, an hour that never repeats: cold and warm, --data DIR|FILE [rounds]';

const execute = promisify(execFile);
const hourSeconds = 3_600;

/** The length of a recording, or null of what is none. */
async function secondsOf(file: string): Promise<number | null> {
  const args = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file];
  const { stdout } = await execute('ffprobe', args).catch(() => ({ stdout: '' }));
  return Number(stdout) > 0 ? Number(stdout) : null;
}

/** All recordings below a folder of at least three seconds, sorted by path, with their lengths. */
async function findRecordings(dir: string): Promise<{ file: string; seconds: number }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /\.(wav|mp3|flac|ogg|opus|m4a)$/i.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const found: { file: string; seconds: number }[] = [];
  for (const file of files) {
    const seconds = await secondsOf(file);
    if (seconds !== null && seconds >= 3) found.push({ file, seconds });
  }
  return found;
}

/**
 * Joins different recordings to an hour. Where there are not enough of them they come once more, a little slower, then
 * slower still: no stretch of the sound is the same as another, so nothing of it can be taken from what is kept.
 */
async function makeHour(dataDir: string, outDir: string): Promise<{ file: string; tempos: number[] }> {
  const recordings = await findRecordings(dataDir);
  const total = recordings.reduce((sum, { seconds }) => sum + seconds, 0);
  if (total < hourSeconds / 4)
    throw new Error(`${dataDir} has ${Math.round(total / 60)} minutes of sound; an hour needs 15`);
  const tempos: number[] = [];
  const passes: string[] = [];
  for (let seconds = 0, tempo = 1; seconds < hourSeconds; seconds += total / tempo, tempo -= 0.07) {
    tempos.push(round(tempo, 2));
    const decoded: string[] = [];
    for (const [i, { file }] of recordings.entries()) {
      const out = path.join(outDir, `${tempos.length}-${i}.wav`);
      const isDecoded = await execute('ffmpeg', [
        '-nostdin',
        '-v',
        'error',
        '-i',
        file,
        '-vn',
        '-af',
        `atempo=${tempo}`,
        '-ac',
        '1',
        '-ar',
        '16000',
        out,
      ]).then(
        () => true,
        () => false,
      );
      if (isDecoded) decoded.push(out);
    }
    passes.push(...decoded);
  }
  const list = path.join(outDir, 'list.txt');
  await writeFile(list, passes.map((file) => `file '${file}'`).join('\n'));
  const file = path.join(outDir, 'hour.mp3');
  const input = ['-f', 'concat', '-safe', '0', '-i', list, '-t', String(hourSeconds)];
  await execute('ffmpeg', ['-nostdin', '-v', 'error', ...input, '-b:a', '64k', file]);
  return { file, tempos };
}

/** Seconds from the acknowledgement of the upload to the first event with text. The lecture is deleted then. */
async function measure(system: RunningSystem, file: string): Promise<number> {
  const { id } = await system.client.uploadLecture(await openAsBlob(file), { fileName: 'hour.mp3' });
  const startMs = performance.now();
  let seconds = Number.NaN;
  for await (const event of system.client.followLecture(id)) {
    if (event.type !== 'segments' || event.segments.length === 0) continue;
    seconds = (performance.now() - startMs) / 1000;
    break;
  }
  // What was deleted cannot be used again: the next run finds nothing of this one.
  await system.client.deleteLecture(id);
  for (;;) {
    const metrics = await (await fetch(`${system.internalUrl}/metrics`)).text();
    const active = ['ingest', 'transcribe'].map((queue) =>
      sampleOf(metrics, 'queue_depth', { queue, state: 'active' }),
    );
    if (active.every((jobs) => jobs === 0)) return seconds;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const summary = (seconds: number[]) => ({
  median: round(median(seconds)),
  p95: round(quantile(seconds, 0.95)),
  all: seconds.map((each) => round(each)),
});

export async function run(args: string[], note: (text: string) => void) {
  const at = args.indexOf('--data');
  const dataDir = at === -1 ? undefined : args[at + 1];
  if (!dataDir)
    throw new Error('give --data: a folder with different recordings, best an hour of them, or one long file');
  const rounds = Number(args.filter((_, i) => i !== at && i !== at + 1)[0] ?? 10);
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-hour-'));
  try {
    const isFile = (await stat(dataDir)).isFile();
    if (!isFile) note('joining recordings');
    const { file, tempos } = isFile ? { file: dataDir, tempos: [1] } : await makeHour(dataDir, dir);
    const minutes = round(((await secondsOf(file)) ?? Number.NaN) / 60, 1);
    const cold: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const system = await startSystem();
      try {
        cold.push(await measure(system, file));
      } finally {
        await system.close();
      }
      note(`cold ${i + 1}/${rounds}: ${round(cold.at(-1) ?? 0, 2)} s`);
    }
    const warm: number[] = [];
    const system = await startSystem({ PRELOAD_MODELS: 'true' });
    try {
      for (let i = 0; i < rounds; i++) {
        warm.push(await measure(system, file));
        note(`warm ${i + 1}/${rounds}: ${round(warm.at(-1) ?? 0, 2)} s`);
      }
    } finally {
      await system.close();
    }
    return { minutes, tempos, rounds, coldSeconds: summary(cold), warmSeconds: summary(warm) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
