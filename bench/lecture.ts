import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { countWordErrors, normaliseEnglish } from '@studymate/speech/error-rate';
import { toUnlike } from '../e2e/support/recordings.ts';
import { type RunningSystem, startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'a lecture end to end: first words cold and warm, real-time factor, word errors, memory [FILE [rounds]]';

interface Round {
  firstWordsSeconds: number;
  transcriptSeconds: number;
  readySeconds: number;
}

/**
 * Uploads one file and follows it; seconds count from the moment the last byte was acknowledged.
 * @param number each has a recording of its own, so that all of it is made anew
 */
async function study(system: RunningSystem, file: string, number: number) {
  const blob = toUnlike(await openAsBlob(file), number);
  const { id } = await system.client.uploadLecture(blob, { fileName: path.basename(file), fresh: true });
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  const times: Round = { firstWordsSeconds: Number.NaN, transcriptSeconds: Number.NaN, readySeconds: Number.NaN };
  for await (const event of system.client.followLecture(id)) {
    if (event.type === 'segments' && event.segments.length > 0 && Number.isNaN(times.firstWordsSeconds)) {
      times.firstWordsSeconds = seconds();
    }
    if (event.type === 'stage' && event.stage.name === 'assemble' && event.stage.status === 'done') {
      times.transcriptSeconds = seconds();
    }
  }
  times.readySeconds = seconds();
  return { id, times };
}

async function peakMegabytes(pid: number | undefined): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kilobytes ? Math.round(Number(kilobytes) / 1024) : null;
}

export async function run(args: string[], note: (text: string) => void) {
  const file = args[0] ?? path.join(BENCH_ROOT, 'samples/history-of-printing.mp3');
  const rounds = Number(args[1] ?? 5);
  const system = await startSystem();
  try {
    const all: Round[] = [];
    let lectureId = '';
    for (let i = 0; i < rounds; i++) {
      const { id, times } = await study(system, file, i);
      lectureId = id;
      all.push(times);
      note(
        `${i + 1}/${rounds} first words ${round(times.firstWordsSeconds, 2)} s, ready ${round(times.readySeconds, 2)} s`,
      );
    }
    const lecture = await system.client.getLecture(lectureId);
    const transcript = await system.client.getTranscript(lectureId);
    const models = await system.client.modelStatus();
    const durationSeconds = lecture.durationSeconds ?? Number.NaN;
    const [cold, ...warm] = all;
    const reference = await readFile(file.replace(/\.\w+$/, '.txt'), 'utf8').catch(() => null);
    const errors = reference && countWordErrors(normaliseEnglish(reference), normaliseEnglish(transcript.text));
    return {
      durationSeconds: round(durationSeconds, 1),
      cold: {
        firstWordsSeconds: round(cold?.firstWordsSeconds ?? Number.NaN),
        realTimeFactor: round((cold?.transcriptSeconds ?? Number.NaN) / durationSeconds, 4),
      },
      warm: {
        firstWordsSecondsMedian: round(median(warm.map((r) => r.firstWordsSeconds))),
        firstWordsSecondsP95: round(
          quantile(
            warm.map((r) => r.firstWordsSeconds),
            0.95,
          ),
        ),
        realTimeFactorMedian: round(median(warm.map((r) => r.transcriptSeconds)) / durationSeconds, 4),
        readySecondsMedian: round(median(warm.map((r) => r.readySeconds))),
      },
      wordErrorRate: errors
        ? round((errors.substitutions + errors.deletions + errors.insertions) / errors.referenceWords, 4)
        : null,
      peakMegabytes: {
        api: await peakMegabytes(system.api().pid),
        worker: await peakMegabytes(system.worker().pid),
        ...Object.fromEntries(models.map((m) => [m.family, m.memoryBytes && Math.round(m.memoryBytes / 2 ** 20)])),
      },
      rounds,
    };
  } finally {
    await system.close();
  }
}
