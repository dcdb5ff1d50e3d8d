import path from 'node:path';
import { createLogMel } from '@studymate/speech/log-mel';
import { loadVoiceActivity } from '../apps/worker/src/model-process/vad-lanes.ts';
import { decodeLanes } from '../apps/worker/src/model-process/whisper-decode.ts';
import { loadWhisperModel } from '../apps/worker/src/model-process/whisper-model.ts';
import { timeWords } from '../apps/worker/src/model-process/whisper-words.ts';
import { cutRecording } from './lib/cut-recording.ts';
import { decodeRecording } from './lib/decode-recording.ts';
import { median, round } from './lib/statistics.ts';

declare const BENCH_ROOT: string;

export const about =
  'where the seconds of a transcription go, part by part, and what word times cost [FILE [rounds [MODEL_FOLDER]]]';

const leadSamples = 3_200;
const windowsAtOnce = 4;

/** Adds up seconds by name. */
function createStopwatch() {
  const seconds: Record<string, number> = {};
  return {
    seconds,
    async time<T>(part: string, work: () => T | Promise<T>): Promise<T> {
      const startMs = performance.now();
      const value = await work();
      seconds[part] = (seconds[part] ?? 0) + (performance.now() - startMs) / 1000;
      return value;
    },
  };
}

/** Every part by itself, one after the other, on one process with two threads: nothing overlaps as it does in the worker. */
export async function run(args: string[], note: (text: string) => void) {
  const file = args[0] ?? path.join(BENCH_ROOT, 'samples/history-of-printing.mp3');
  const rounds = Number(args[1] ?? 5);
  const folder = (name: string) => path.join(BENCH_ROOT, 'models', name);
  const vad = await loadVoiceActivity({ folder: folder('silero-vad') });
  const model = await loadWhisperModel({ folder: args[2] ?? folder('whisper-base'), threads: 2 });
  const logMel = createLogMel(model.melBandCount);
  const { tokens } = model;
  const language = 'en';
  const prompt = [
    tokens.startOfTranscript,
    tokens.languageIds.get(language) as number,
    tokens.transcribe,
    tokens.noTimestamps,
  ];
  const all: Record<string, number>[] = [];
  let durationSeconds = 0;
  let tokenCount = 0;
  for (let count = 0; count <= rounds; count++) {
    const { seconds, time } = createStopwatch();
    const samples = await time('decode', () => decodeRecording(file));
    durationSeconds = samples.length / 16_000;
    const probabilities = await time('vad', () => vad.detect({ samples, leadSamples: 0 }));
    const chunks = await time('cut', () => cutRecording(samples, async () => probabilities));
    tokenCount = 0;
    for (const windows of chunks) {
      for (let from = 0; from < windows.length; from += windowsAtOnce) {
        const group = windows.slice(from, from + windowsAtOnce).sort((a, b) => b.length - a.length);
        const features = await time('logMel', () =>
          group.map((sound) => {
            const led = new Int16Array(leadSamples + sound.length);
            led.set(sound, leadSamples);
            return logMel.compute(led);
          }),
        );
        const encoded = await time('encoder', () =>
          model.encode(group.length, async (i) => features[i] as Float32Array),
        );
        const shared = { tokens, promptLength: prompt.length, maxPositions: model.maxPositions, context: {} };
        const lengths = group.map((sound) => sound.length / 16_000);
        for (const wordTimes of [false, true]) {
          const part = wordTimes ? 'decoderWithAttention' : 'decoder';
          const attempts = await time(part, async () => {
            const prompts = group.map(() => prompt);
            const decoding = await model.begin({ windows: encoded, prompts, temperature: 0, wordTimes });
            return decodeLanes({ ...shared, decoding, seconds: lengths });
          });
          if (!wordTimes) continue;
          await time('wordTimes', () =>
            attempts.map((attempt, i) =>
              timeWords({
                attempt,
                tokens,
                promptLength: prompt.length,
                language,
                seconds: lengths[i] as number,
                leadSeconds: 0.2,
              }),
            ),
          );
          for (const attempt of attempts) tokenCount += attempt.tokens.length;
        }
      }
    }
    note(`${count} of ${rounds}`);
    // The first is warm-up.
    if (count > 0) all.push(seconds);
  }
  await vad.close();
  await model.close();
  const of = (part: string) => median(all.map((seconds) => seconds[part] ?? 0));
  const parts = Object.keys(all[0] ?? {});
  const without = of('logMel') + of('encoder') + of('decoder');
  const withTimes = of('logMel') + of('encoder') + of('decoderWithAttention') + of('wordTimes');
  return {
    durationSeconds: round(durationSeconds, 1),
    tokens: tokenCount,
    seconds: Object.fromEntries(parts.map((part) => [part, round(of(part))])),
    wordTimesCost: round(withTimes / without - 1, 3),
    rounds,
  };
}
