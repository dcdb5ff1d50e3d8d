import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createWindowCutter, type SampleWindow } from '@studymate/speech/cut-windows';
import { normaliseEnglish } from '@studymate/speech/error-rate';
import { transcribeInOrder } from '../apps/worker/src/transcribe-in-order.ts';
import { alignWords } from './lib/align-words.ts';
import { decodeRecording } from './lib/decode-recording.ts';
import { createSpeechProcess } from './lib/speech-process.ts';
import { round } from './lib/statistics.ts';

export const about = 'words lost or doubled at the borders of windows: [FILE TEXT [cuts [least seconds of a pause]]]';

declare const BENCH_ROOT: string;
const rate = 16_000;
const frameSeconds = 512 / rate;
const nearSeconds = 2;
/** Each cut begins so much later in the recording, so that no border lies where another cut has one. */
const stepSeconds = 2.7;

interface TimedWord {
  text: string;
  seconds: number;
}

/**
 * Transcribes an English recording cut at different places, and counts words that are missing or too many against what
 * is said: within 2 s of a border between windows, and elsewhere. With a fourth argument longer pauses are first cut
 * down to that many seconds, so that windows must be cut within speech.
 */
export async function run(args: string[], note: (text: string) => void) {
  const sample = path.join(BENCH_ROOT, 'samples/history-of-printing');
  const [file = `${sample}.mp3`, textFile = `${sample}.txt`, cuts = '10', leastPause] = args;
  const reference = normaliseEnglish(await readFile(textFile, 'utf8'));
  const family = createSpeechProcess(BENCH_ROOT, 2);
  const { signal } = new AbortController();
  const lease = await family.acquire(signal);
  const detect = async (samples: Int16Array) => {
    const { value } = await lease.run<{ probabilities: Float32Array }>(
      'vad',
      { samples, leadSamples: 0 },
      { priority: 1, signal, timeoutMs: 600_000 },
    );
    return value.probabilities;
  };
  const counts = { near: { words: 0, missing: 0, extra: 0 }, elsewhere: { words: 0, missing: 0, extra: 0 } };
  let borders = 0;
  let badTimes = 0;
  try {
    const decoded = await decodeRecording(file);
    const whole = leastPause === undefined ? decoded : dropPauses(decoded, await detect(decoded), Number(leastPause));
    for (let cut = 0; cut < Number(cuts); cut++) {
      const samples = whole.subarray(Math.round(cut * stepSeconds * rate));
      const cutter = createWindowCutter();
      const windows = [...cutter.push(await detect(samples)), ...cutter.flush(samples.length)];
      const sounds = windows.map(({ startSample, endSample }) => samples.subarray(startSample, endSample));
      const { results } = await transcribeInOrder(lease, sounds, { language: 'en', priority: 1, signal });
      const spoken = results.flatMap(({ words }, i) =>
        words.map((word) => ({
          ...word,
          start: word.start + startOf(windows[i]),
          end: word.end + startOf(windows[i]),
        })),
      );
      spoken.forEach(({ start, end }, i) => {
        const before = spoken[i - 1]?.end ?? 0;
        if (start < before - 0.001 || end < start || end > samples.length / rate) badTimes++;
      });
      const words = spoken.flatMap(({ word, start }): TimedWord[] =>
        normaliseEnglish(word).map((text) => ({ text, seconds: start })),
      );
      const inner = windows.slice(0, -1).map(({ endSample }) => endSample / rate);
      const isNear = (seconds: number) => inner.some((border) => Math.abs(border - seconds) <= nearSeconds);
      const groupAt = (seconds: number) => (isNear(seconds) ? counts.near : counts.elsewhere);
      borders += inner.length;
      for (const { seconds } of words) groupAt(seconds).words++;
      const hypothesis = words.map(({ text }) => text);
      for (const { kind, place } of alignWords(reference, hypothesis)) {
        // What was said before this cut begins is not missing.
        if (place < 0 || kind === 'substitution') continue;
        groupAt((words[place] as TimedWord).seconds)[kind === 'deletion' ? 'missing' : 'extra']++;
      }
      note(`cut ${cut + 1} of ${cuts}`);
    }
  } finally {
    lease.release();
    await family.close();
  }
  const rates = ({ words, missing, extra }: typeof counts.near) => ({
    words,
    missing: round(missing / words, 4),
    extra: round(extra / words, 4),
  });
  return { borders, near: rates(counts.near), elsewhere: rates(counts.elsewhere), wordsWithBadTimes: badTimes };
}

const startOf = (window: SampleWindow | undefined): number => (window?.startSample ?? 0) / rate;

/** The sound with its pauses cut down to `leastSeconds`. */
function dropPauses(samples: Int16Array, probabilities: ArrayLike<number>, leastSeconds: number): Int16Array {
  const kept: Int16Array[] = [];
  let silence = 0;
  for (let i = 0; i < probabilities.length; i++) {
    silence = (probabilities[i] as number) < 0.35 ? silence + frameSeconds : 0;
    if (silence <= leastSeconds) kept.push(samples.subarray(i * 512, (i + 1) * 512));
  }
  const joined = new Int16Array(kept.length * 512);
  kept.forEach((frame, i) => {
    joined.set(frame, i * 512);
  });
  return joined;
}
