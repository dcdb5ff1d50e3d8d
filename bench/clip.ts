import { excerpt } from '../e2e/support/recordings.ts';
import { startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about = 'a short clip and a few sentences over HTTP: cold, then warm [rounds]';

/** Seconds that each call took, in order. */
async function times(rounds: number, call: () => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const startMs = performance.now();
    await call();
    seconds.push((performance.now() - startMs) / 1000);
  }
  return seconds;
}

function summary([cold, ...warm]: number[]) {
  return {
    coldSeconds: round(cold ?? Number.NaN),
    warmSecondsMedian: round(median(warm)),
    warmSecondsP95: round(quantile(warm, 0.95)),
  };
}

export async function run(args: string[], note: (text: string) => void) {
  const rounds = Number(args[0] ?? 21);
  const system = await startSystem();
  try {
    const clip = await excerpt('clip.wav', 19, 5, ['-ac', '1', '-ar', '16000']);
    const webm = await excerpt('clip.webm', 19, 5, ['-c:a', 'libopus']);
    note('clips');
    const wav = summary(await times(rounds, () => system.client.transcribe(clip, { language: 'en', fresh: true })));
    const opus = summary(await times(rounds, () => system.client.transcribe(webm, { language: 'en', fresh: true })));
    const { timings } = await system.client.transcribe(clip, { language: 'en', fresh: true });
    note('texts');
    const documents = Array.from(
      { length: 20 },
      (_, i) => `Sentence ${i} speaks of ${i % 2 ? 'movable type and printing' : 'stars and distant galaxies'}.`,
    );
    const topics = summary(await times(rounds, () => system.client.topics({ documents })));
    return { clipWav5Seconds: wav, clipWebm5Seconds: opus, lastTimings: timings, topicsOf20Sentences: topics, rounds };
  } finally {
    await system.close();
  }
}
