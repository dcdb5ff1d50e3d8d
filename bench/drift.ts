import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Word } from '@studymate/contracts/transcript';
import { startSystem } from '../e2e/support/running-system.ts';
import { decodeRecording } from './lib/decode-recording.ts';
import { median, quantile, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;
const execute = promisify(execFile);

export const about = 'whether times drift in a long recording: [FILE [repetitions [ending of the name, such as mp3]]]';

const rate = 16_000;
/** The same word further away than this is another one. */
const nearSeconds = 1.5;

interface TimedWord {
  text: string;
  start: number;
}

const toTimed = ({ word, start }: Word): TimedWord => ({
  text: word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ''),
  start,
});

/** By how much each word begins later than the nearest same word of the first repetition. */
function offsets(first: readonly TimedWord[], words: readonly TimedWord[]): number[] {
  return words.flatMap(({ text, start }) => {
    const differences = first.filter((word) => word.text === text).map((word) => start - word.start);
    const nearest = differences.sort((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest === undefined || Math.abs(nearest) > nearSeconds ? [] : [nearest];
  });
}

/**
 * Joins a recording to itself until it is long, encodes it, and has it transcribed through the whole system. The sound is
 * equal every so many seconds to a sample, so the words of each repetition must be, too.
 */
export async function run(args: string[], note: (text: string) => void) {
  const [file = path.join(BENCH_ROOT, 'samples/history-of-printing.mp3'), count = '17', ending = 'mp3'] = args;
  const samples = await decodeRecording(file);
  const seconds = samples.length / rate;
  const dir = await mkdtemp(path.join(tmpdir(), 'studymate-drift-'));
  const system = await startSystem();
  try {
    const long = path.join(dir, `long.${ending}`);
    await writeFile(path.join(dir, 'once.pcm'), samples);
    const input = ['-stream_loop', String(Number(count) - 1), '-f', 's16le', '-ar', String(rate), '-ac', '1', '-i'];
    await execute('ffmpeg', ['-nostdin', '-v', 'error', ...input, path.join(dir, 'once.pcm'), long]);
    const { id } = await system.client.uploadLecture(await openAsBlob(long), { fileName: path.basename(long) });
    for await (const event of system.client.followLecture(id)) {
      if (event.type === 'stage' && event.stage.name === 'transcribe')
        note(`${Math.round(event.stage.progress * 100)} %`);
      if (event.type === 'stage' && event.stage.name === 'assemble' && event.stage.status === 'done') break;
    }
    const transcript = await system.client.getTranscript(id);
    const words = transcript.segments.flatMap((segment) => segment.words.map(toTimed));
    const repetition = (number: number): TimedWord[] =>
      words
        .filter(({ start }) => start >= number * seconds && start < (number + 1) * seconds)
        .map(({ text, start }) => ({ text, start: start - number * seconds }));
    const first = repetition(0);
    const all = Array.from({ length: Number(count) - 1 }, (_, i) => offsets(first, repetition(i + 1)));
    const last = all.at(-1) ?? [];
    const medians = all.map(median);
    return {
      hours: round((seconds * Number(count)) / 3600, 2),
      wordsOfARepetition: first.length,
      comparedInTheLast: last.length,
      lastMedianSeconds: round(median(last)),
      greatestMedianSeconds: round(Math.max(...medians.map(Math.abs))),
      lastP95Seconds: round(quantile(last.map(Math.abs), 0.95)),
    };
  } finally {
    await system.close();
    await rm(dir, { recursive: true });
  }
}
