import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { toUnlike } from '../e2e/support/recordings.ts';
import { type RunningSystem, startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

const warmRounds = 3;

export const about = 'the same recording again: made anew with warm models, and taken over [FILE [repeats]]';

/** Seconds from the acknowledged upload to the end of the lecture. */
async function study(system: RunningSystem, recording: Blob, fileName: string): Promise<number> {
  const { id } = await system.client.uploadLecture(recording, { fileName, fresh: true });
  const startMs = performance.now();
  for await (const event of system.client.followLecture(id)) {
    if (event.type === 'end' && event.status !== 'ready') throw new Error(`the lecture is ${event.status}`);
  }
  return (performance.now() - startMs) / 1000;
}

export async function run(args: string[], note: (text: string) => void) {
  const file = args[0] ?? path.join(BENCH_ROOT, 'samples/history-of-printing.mp3');
  const repeats = Number(args[1] ?? 5);
  const recording = await openAsBlob(file);
  const name = path.basename(file);
  const system = await startSystem();
  try {
    const coldSeconds = await study(system, recording, name);
    note(`first, cold: ready ${round(coldSeconds)} s`);
    const warm: number[] = [];
    for (let i = 1; i <= warmRounds; i++) {
      warm.push(await study(system, toUnlike(recording, i), name));
      note(`${i}/${warmRounds} anew, warm: ready ${round(warm.at(-1) ?? Number.NaN)} s`);
    }
    const repeated: number[] = [];
    for (let i = 1; i <= repeats; i++) {
      repeated.push(await study(system, recording, name));
      note(`${i}/${repeats} again: ready ${round(repeated.at(-1) ?? Number.NaN)} s`);
    }
    const repeatSecondsMedian = median(repeated);
    return {
      coldSeconds: round(coldSeconds),
      warmSecondsMedian: round(median(warm)),
      repeatSecondsMedian: round(repeatSecondsMedian),
      repeatSecondsLeast: round(Math.min(...repeated)),
      repeatSecondsP95: round(quantile(repeated, 0.95)),
      coldToRepeat: round(coldSeconds / repeatSecondsMedian, 1),
      warmToRepeat: round(median(warm) / repeatSecondsMedian, 1),
      repeats,
    };
  } finally {
    await system.close();
  }
}
