import { setTimeout as delay } from 'node:timers/promises';
import { excerpt, makeRecording, samplePath, toUnlike } from '../e2e/support/recordings.ts';
import { startSystem } from '../e2e/support/running-system.ts';
import { median, round } from './lib/statistics.ts';

export const about = 'how far off the estimates of three lectures are, that are uploaded one after another [rounds]';

/** Of what is nearly done no share can be told. */
const minSeconds = 3;
const askEveryMs = 1_000;

interface Asked {
  atMs: number;
  etaSeconds: number | null;
}

export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(args[0] ?? 2);
  const recordings = [
    await makeRecording('long.mp3', ['-stream_loop', '2', '-i', samplePath, '-c', 'copy']),
    await excerpt('short.mp3', 0, 75),
    await makeRecording('middle.mp3', ['-i', samplePath, '-c', 'copy']),
  ];
  const system = await startSystem();
  const { client } = system;
  const result: Record<string, unknown> = {};
  try {
    for (let i = 1; i <= rounds; i++) {
      const lectures: { name: string; id: string; asked: Asked[]; endMs: number }[] = [];
      for (const file of recordings) {
        const { id, queue } = await client.uploadLecture(toUnlike(file, i), { fileName: file.name });
        const first = { atMs: performance.now(), etaSeconds: queue.etaSeconds };
        lectures.push({ name: file.name, id, asked: [first], endMs: 0 });
      }
      while (lectures.some(({ endMs }) => endMs === 0)) {
        for (const lecture of lectures.filter(({ endMs }) => endMs === 0)) {
          const { status, queue } = await client.getLecture(lecture.id);
          const atMs = performance.now();
          if (status === 'queued' || status === 'running') lecture.asked.push({ atMs, etaSeconds: queue.etaSeconds });
          else lecture.endMs = atMs;
        }
        await delay(askEveryMs);
      }
      const all = lectures.flatMap(({ asked, endMs }) => asked.flatMap((one) => toError(one, endMs) ?? []));
      const first = lectures.map(({ name, asked, endMs }) => {
        const seconds = (endMs - (asked[0]?.atMs ?? 0)) / 1_000;
        return `${name}: said ${asked[0]?.etaSeconds} s, took ${round(seconds, 1)} s`;
      });
      result[i === 1 ? 'cold, nothing measured' : `warm ${i - 1}`] = {
        first,
        meanRelativeError: round(all.reduce((sum, error) => sum + error, 0) / all.length),
        medianRelativeError: round(median(all)),
        estimates: all.length,
      };
      note(`${i}/${rounds} ${first.join('; ')}`);
    }
    return result;
  } finally {
    await system.close();
  }
}

/** How far off an estimate was, as a share of what it really took; null where there was none, or nearly nothing left. */
function toError({ atMs, etaSeconds }: Asked, endMs: number): number | null {
  const reallySeconds = (endMs - atMs) / 1_000;
  if (etaSeconds === null || reallySeconds < minSeconds) return null;
  return Math.abs(etaSeconds - reallySeconds) / reallySeconds;
}
