import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lease } from '@studymate/models/model-family';
import { createWindowCutter } from '@studymate/speech/cut-windows';
import { countWordErrors, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSpeechRuntime, type SpeechRuntime } from '../src/model-process/speech-runtime.ts';
import { transcribeInOrder } from '../src/transcribe-in-order.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const modelDirs = { whisper: join(root, 'models/whisper-base'), vad: join(root, 'models/silero-vad') };
const rate = 16_000;

let runtime: SpeechRuntime;
let speech: Int16Array;

beforeAll(async () => {
  speech = fromFfmpeg(['-i', join(root, 'samples/history-of-printing.mp3'), '-t', '3.6']);
  runtime = await createSpeechRuntime({ modelDirs, threads: 2 });
});

afterAll(() => runtime.close());

function fromFfmpeg(args: string[]): Int16Array {
  const { stdout, status, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', ...args, '-ar', String(rate), '-ac', '1', '-f', 's16le', '-'],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error(String(stderr));
  return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}

const made = (source: string, seconds: number): Int16Array =>
  fromFfmpeg(['-f', 'lavfi', '-t', String(seconds), '-i', source]);

/** Notes of a scale, one after the other, with overtones that fade. */
function melody(seconds: number, beatSeconds: number, vibrato: number): Int16Array {
  const degrees = [0, 4, 7, 12, 9, 5, 2, 11];
  return Int16Array.from({ length: seconds * rate }, (_, i) => {
    const beat = Math.floor(i / rate / beatSeconds);
    const t = i / rate - beat * beatSeconds;
    const hertz = 220 * 2 ** ((degrees[(beat * 5) % 8] as number) / 12);
    let value = 0;
    for (let h = 1; h <= 10; h++) value += Math.sin(2 * Math.PI * hertz * h * t + vibrato * h * Math.sin(34.5 * t)) / h;
    return 8_000 * Math.min(1, t / 0.02) * Math.exp(-t * 1.5) * value;
  });
}

const lease = {
  async run(operation: 'vad', payload: never) {
    return { value: await runtime.run(operation, payload), seconds: 0 };
  },
} as unknown as Lease;

async function transcribe(windows: Int16Array[]): Promise<string> {
  const signal = new AbortController().signal;
  const { results } = await transcribeInOrder(lease, windows, { language: null, priority: 1, signal });
  return results.map(({ text }) => text).join(' ');
}

/** The sound whole, as a short clip goes to the model, and in windows, as a lecture does. */
async function transcribeBothWays(sound: Int16Array): Promise<string[]> {
  const { probabilities } = await runtime.run('vad', { samples: sound, leadSamples: 0 });
  const cutter = createWindowCutter();
  const windows = [...cutter.push(probabilities), ...cutter.flush(sound.length)];
  const cut = windows.map(({ startSample, endSample }) => sound.subarray(startSample, endSample));
  return [await transcribe([sound]), await transcribe(cut)];
}

test.each([
  ['digital silence', () => new Int16Array(12 * rate)],
  ['white noise', () => made('anoisesrc=c=white:a=0.1:seed=7', 12)],
  ['brown noise', () => made('anoisesrc=c=brown:a=0.5:seed=7', 12)],
  ['mains hum', () => made("aevalsrc='.2*sin(314*t)+.1*sin(942*t)+.05*sin(1571*t)'", 12)],
  ['a slow melody', () => melody(16, 0.75, 0)],
  ['a quick melody with vibrato', () => melody(20, 0.4, 0.5)],
])('%s: no words', async (_, make) => {
  for (const text of await transcribeBothWays(make())) expect(text.trim()).toBe('');
});

test('a few words amid a long noise are heard, and no others', async () => {
  const sound = made('anoisesrc=c=pink:a=0.01:seed=3', 20);
  speech.forEach((sample, i) => {
    const at = 8 * rate + i;
    sound[at] = Math.max(-32_768, Math.min(32_767, (sound[at] as number) + sample));
  });
  const spoken = normaliseEnglish('Printing, in the only sense with which we are at present concerned');
  for (const text of await transcribeBothWays(sound)) {
    expect(wordErrorRate(countWordErrors(spoken, normaliseEnglish(text)))).toBeLessThan(0.2);
  }
});

test.each([
  ['another language is expected', 'fr', 3.6],
  // Too short for its own language to be taken against the one expected.
  ['a language is expected that the model does not know', 'yue', 2.4],
])('speech where %s is transcribed in its own', async (_, expectedLanguage, seconds) => {
  const [result] = await runtime.run('transcribe-windows', {
    windows: [speech.slice(0, seconds * rate)],
    language: null,
    expectedLanguage,
    wordTimes: true,
  });
  expect(result).toMatchObject({ language: 'en', text: expect.stringMatching(/^Printing/) });
});
