import { excerpt } from '../e2e/support/recordings.ts';
import { startSystem } from '../e2e/support/running-system.ts';
import { median, quantile, round } from './lib/statistics.ts';

export const about = 'a short clip and a few sentences over HTTP: cold, then warm [rounds]';

/** Five seconds of speech, as recorders and browsers write it. */
const containers = {
  'clip.wav': ['-ac', '1', '-ar', '48000'],
  'clip.mp3': [],
  'clip.webm': ['-c:a', 'libopus'],
  'clip.ogg': ['-c:a', 'libvorbis'],
  'clip.m4a': [],
};

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
    const transcribe = (file: File, fresh = true) => system.client.transcribe(file, { language: 'en', fresh });
    note('clips');
    const wav = summary(await times(rounds, () => transcribe(clip)));
    const webm = await excerpt('clip.webm', 19, 5, containers['clip.webm']);
    const opus = summary(await times(rounds, () => transcribe(webm)));
    const { timings } = await transcribe(clip);
    note('the same clip again');
    const again = median(await times(rounds, () => transcribe(clip, false)));
    note('containers');
    const decoding: Record<string, unknown> = {};
    for (const [name, args] of Object.entries(containers)) {
      const file = await excerpt(name, 19, 5, args);
      const answers = [];
      for (let i = 0; i < Math.min(rounds, 5); i++) answers.push((await transcribe(file)).timings);
      const seconds = round(median(answers.map(({ decodeSeconds }) => decodeSeconds)));
      decoding[name.replace('clip.', '')] = `${seconds} ${answers[0]?.decodeMethod}`;
    }
    note('texts');
    const documents = Array.from(
      { length: 20 },
      (_, i) => `Sentence ${i} speaks of ${i % 2 ? 'movable type and printing' : 'stars and distant galaxies'}.`,
    );
    const topics = summary(await times(rounds, () => system.client.topics({ documents })));
    return {
      clipWav5Seconds: wav,
      clipWebm5Seconds: opus,
      lastTimings: timings,
      again: { secondsMedian: round(again, 4), timesFaster: round(wav.warmSecondsMedian / again, 1) },
      decodeSeconds: decoding,
      topicsOf20Sentences: topics,
      rounds,
    };
  } finally {
    await system.close();
  }
}
