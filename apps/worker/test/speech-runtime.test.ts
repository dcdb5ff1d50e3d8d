import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countWordErrors, normaliseEnglish, wordErrorRate } from '@studymate/speech/error-rate';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSpeechRuntime, type SpeechRuntime } from '../src/model-process/speech-runtime.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const modelDirs = { whisper: join(root, 'models/whisper-base'), vad: join(root, 'models/silero-vad') };
const frameSamples = 512;

/** What is said in the first 11.5 s of the sample. */
const spoken =
  'Printing, in the only sense with which we are at present concerned, differs from most if not from all the arts ' +
  'and crafts represented in the Exhibition in being comparatively modern.';

let runtime: SpeechRuntime;
let recording: Int16Array;

beforeAll(async () => {
  const file = join(root, 'samples/history-of-printing.mp3');
  const args = ['-v', 'error', '-i', file, '-t', '60', '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
  recording = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  runtime = await createSpeechRuntime({ modelDirs, threads: 2 });
});

afterAll(() => runtime.close());

/** One window by itself. */
const transcribe = async (
  { samples, ...rest }: { samples: Int16Array; language: string | null; wordTimes: boolean },
  signal?: AbortSignal,
) => {
  const [result] = await runtime.run('transcribe-windows', { windows: [samples], ...rest }, signal && { signal });
  return result as WindowTranscript;
};

const seconds = (from: number, to: number): Int16Array => recording.slice(from * 16_000, to * 16_000);

test('voice: a probability for each whole frame, high in speech and low in silence', async () => {
  const sound = new Int16Array(5 * 16_000 + 100);
  sound.set(seconds(5, 9), 8000);
  const { probabilities } = await runtime.run('vad', { samples: sound, leadSamples: 0 });
  expect(probabilities).toHaveLength(Math.floor(sound.length / frameSamples));
  expect(Math.max(...probabilities.subarray(0, 10))).toBeLessThan(0.2);
  const spokenFrames = [...probabilities.subarray(25, 130)].filter((probability) => probability > 0.5);
  expect(spokenFrames.length).toBeGreaterThan(90);
});

test('voice: lanes beside each other hear what one lane after the other hears', async () => {
  const whole = (await runtime.run('vad', { samples: recording, leadSamples: 0 })).probabilities;
  const step = 32 * frameSamples;
  const lead = 128 * frameSamples;
  let difference = 0;
  let decidedOtherwise = 0;
  for (let from = 0; from + step <= recording.length; from += step) {
    const leadSamples = Math.min(lead, from);
    const samples = recording.slice(from - leadSamples, from + step);
    const { probabilities } = await runtime.run('vad', { samples, leadSamples });
    expect(probabilities).toHaveLength(32);
    probabilities.forEach((probability, i) => {
      const other = whole[from / frameSamples + i] as number;
      difference += Math.abs(probability - other);
      if (probability > 0.5 !== other > 0.5) decidedOtherwise++;
    });
  }
  expect(difference / whole.length).toBeLessThan(0.01);
  expect(decidedOtherwise / whole.length).toBeLessThan(0.01);
});

test('a window of speech: language, text, and words in order within the sound', async () => {
  const samples = seconds(0, 11.5);
  const result = await transcribe({ samples, language: null, wordTimes: true });
  expect(result.language).toBe('en');
  expect(result.languageProbability).toBeGreaterThan(0.9);
  expect(wordErrorRate(countWordErrors(normaliseEnglish(spoken), normaliseEnglish(result.text)))).toBeLessThan(0.08);
  expect(result.words.map(({ word }) => word).join(' ')).toBe(result.text);
  let previous = 0;
  for (const { start, end, probability } of result.words) {
    expect(start).toBeGreaterThanOrEqual(previous);
    expect(end).toBeGreaterThan(start);
    expect(end - start).toBeLessThan(2.5);
    expect(probability).toBeGreaterThan(0);
    expect(probability).toBeLessThanOrEqual(1);
    previous = end;
  }
  expect(previous).toBeLessThanOrEqual(11.5);
  expect(result.averageLogProbability).toBeGreaterThan(-0.5);
  expect(result.noSpeechProbability).toBeLessThan(0.5);
  expect(result.compressionRatio).toBeLessThan(2.4);
});

test('word times are those of the sound: moved by two seconds, every word comes two seconds later', async () => {
  const plain = await transcribe({ samples: seconds(0, 11.5), language: 'en', wordTimes: true });
  const moved = new Int16Array(13.5 * 16_000);
  moved.set(seconds(0, 11.5), 2 * 16_000);
  const later = await transcribe({ samples: moved, language: 'en', wordTimes: true });
  expect(later.words.map(({ word }) => word)).toEqual(plain.words.map(({ word }) => word));
  const offsets = later.words.map(({ end }, i) => end - (plain.words[i]?.end as number)).sort((a, b) => a - b);
  expect(Math.abs((offsets[offsets.length >> 1] as number) - 2)).toBeLessThan(0.05);
  expect(offsets.filter((offset) => Math.abs(offset - 2) > 0.25).length).toBeLessThan(3);
});

test('windows side by side: each has the words and times that it has alone, in the order given', async () => {
  const spans = [
    [12, 20],
    [0, 11.5],
    [20, 32],
  ] as const;
  const windows = spans.map(([from, to]) => seconds(from, to));
  const together = await runtime.run('transcribe-windows', { windows, language: null, wordTimes: true });
  expect(together).toHaveLength(windows.length);
  for (const [i, samples] of windows.entries()) {
    const alone = await transcribe({ samples, language: null, wordTimes: true });
    const beside = together[i] as WindowTranscript;
    expect(beside.language).toBe('en');
    // Lanes share the scale of their activations, so a word may come out otherwise here and there.
    const errors = countWordErrors(normaliseEnglish(alone.text), normaliseEnglish(beside.text));
    expect(wordErrorRate(errors)).toBeLessThan(0.1);
    const first = (words: WindowTranscript['words']) => words[0]?.start ?? 0;
    expect(Math.abs(first(beside.words) - first(alone.words))).toBeLessThan(0.3);
  }
  expect(await runtime.run('transcribe-windows', { windows, language: null, wordTimes: true })).toEqual(together);
});

test('no windows give no transcripts', async () => {
  expect(await runtime.run('transcribe-windows', { windows: [], language: null, wordTimes: true })).toEqual([]);
});

test('without word times the text is the same and there are no words', async () => {
  const samples = seconds(12, 20);
  const timed = await transcribe({ samples, language: 'English', wordTimes: true });
  const plain = await transcribe({ samples, language: 'en', wordTimes: false });
  expect(plain).toEqual({ ...timed, words: [] });
  expect(plain.text.length).toBeGreaterThan(20);
});

test('the same sound gives the same result whatever came before it', async () => {
  const samples = seconds(20, 32);
  const ask = { samples, language: null, wordTimes: true };
  const first = await transcribe(ask);
  await transcribe({ samples: seconds(0, 3), language: 'de', wordTimes: false });
  expect(await transcribe(ask)).toEqual(first);
});

test.each([
  ['nothing', () => new Int16Array(0)],
  ['a twentieth of a second', () => new Int16Array(800)],
  ['digital silence', () => new Int16Array(10 * 16_000)],
  ['a hum', () => Int16Array.from({ length: 10 * 16_000 }, (_, i) => 3000 * Math.sin(i * 0.02))],
  [
    'noise',
    () => Int16Array.from({ length: 20 * 16_000 }, (_, i) => ((Math.imul(i + 1, 2_654_435_761) >>> 16) % 2000) - 1000),
  ],
])('%s gives no words', async (_, make) => {
  const result = await transcribe({ samples: make(), language: null, wordTimes: true });
  expect(result).toMatchObject({ text: '', words: [], tokens: [] });
});

test('work that is cancelled ends with the reason of its signal, before and in the middle', async () => {
  const reason = new Error('not wanted any more');
  const ask = { samples: seconds(0, 28), language: 'en', wordTimes: false };
  await expect(transcribe(ask, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  let turns = 0;
  const watch = setInterval(() => {
    // Turns are only taken between tokens, so the third comes in the middle of the text.
    if (++turns === 3) controller.abort(reason);
  }, 1);
  try {
    await expect(transcribe(ask, controller.signal)).rejects.toBe(reason);
  } finally {
    clearInterval(watch);
  }
  const after = await transcribe({ ...ask, samples: seconds(0, 11.5) });
  expect(after.text).toContain('comparatively modern');
});

test.each([
  ['an unknown operation', 'sing', {}, 'invalid_request'],
  ['no payload', 'vad', undefined, 'invalid_request'],
  ['samples of another kind', 'vad', { samples: new Float32Array(512), leadSamples: 0 }, 'invalid_request'],
  ['a lead of half a frame', 'vad', { samples: new Int16Array(512), leadSamples: 256 }, 'invalid_request'],
  [
    'more than 30 s',
    'transcribe-windows',
    { windows: [new Int16Array(480_001)], language: null, wordTimes: true },
    'invalid_request',
  ],
  [
    'an unknown language',
    'transcribe-windows',
    { windows: [new Int16Array(16)], language: 'klingon', wordTimes: true },
    'unknown_language',
  ],
])('%s is refused with a code', async (_, operation, payload, code) => {
  await expect(runtime.run(operation as 'vad', payload as never)).rejects.toMatchObject({ code });
});

test('an export of the usual form, without the decoder for many windows, gives the same words', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-weights-'));
  try {
    await mkdir(join(folder, 'onnx'));
    const graphs = ['onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx'];
    for (const name of ['tokenizer.json', 'generation_config.json', 'config.json', ...graphs]) {
      await symlink(join(modelDirs.whisper, name), join(folder, name));
    }
    const usual = await createSpeechRuntime({ modelDirs: { ...modelDirs, whisper: folder }, threads: 2 });
    const windows = [seconds(12, 20), seconds(0, 11.5)];
    const ask = { windows, language: null, wordTimes: true };
    const theirs = await usual.run('transcribe-windows', ask);
    await usual.close();
    expect(theirs).toHaveLength(2);
    for (const [i, samples] of windows.entries()) {
      const ours = await transcribe({ samples, language: null, wordTimes: true });
      const other = theirs[i] as WindowTranscript;
      expect(wordErrorRate(countWordErrors(normaliseEnglish(ours.text), normaliseEnglish(other.text)))).toBeLessThan(
        0.1,
      );
      expect(Math.abs(other.averageLogProbability - ours.averageLogProbability)).toBeLessThan(0.05);
      expect(Math.abs((other.words[0]?.start ?? 0) - (ours.words[0]?.start ?? 0))).toBeLessThan(0.1);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('missing and damaged weights are told apart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-weights-'));
  try {
    const missing = { ...modelDirs, whisper: folder };
    await expect(createSpeechRuntime({ modelDirs: missing, threads: 1 })).rejects.toMatchObject({
      code: 'model_missing',
    });
    await mkdir(join(folder, 'onnx'));
    for (const name of ['tokenizer.json', 'generation_config.json', 'config.json']) {
      await copyFile(join(modelDirs.whisper, name), join(folder, name));
    }
    await writeFile(join(folder, 'onnx/encoder_model_quantized.onnx'), 'half a download');
    await expect(createSpeechRuntime({ modelDirs: missing, threads: 1 })).rejects.toMatchObject({
      code: 'model_damaged',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
