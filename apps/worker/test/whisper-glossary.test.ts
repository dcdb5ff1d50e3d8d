import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WindowTranscript } from '@studymate/speech/window-transcript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSpeechRuntime, type SpeechRuntime } from '../src/model-process/speech-runtime.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const modelDirs = { whisper: join(root, 'models/whisper-base'), vad: join(root, 'models/silero-vad') };
/** "In fourteen sixty-five Sweynheim and Pannartz began printing in the monastery of Subiaco near Rome, …" */
const names = ['Sweynheim', 'Pannartz', 'Subiaco'];
const unsaid = ['Rome and Juliet', 'monad', 'mastery', 'Rhone', 'Kubernetes', 'mitochondria', 'Gettier', 'sixpence'];

let runtime: SpeechRuntime;
let samples: Int16Array;
let plain: WindowTranscript;

beforeAll(async () => {
  const file = join(root, 'samples/history-of-printing.mp3');
  const args = ['-v', 'error', '-ss', '205', '-t', '13', '-i', file, '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 64 * 1024 * 1024 });
  samples = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  runtime = await createSpeechRuntime({ modelDirs, threads: 2 });
  plain = await transcribe();
});

afterAll(() => runtime?.close());

const transcribe = async (glossary?: string[]) => {
  const payload = { windows: [samples], language: 'en', wordTimes: true, ...(glossary && { glossary }) };
  const [result] = await runtime.run('transcribe-windows', payload);
  return result as WindowTranscript;
};

test('names of a glossary: spelt as they should be, with times and probabilities, all else as before', async () => {
  const helped = await transcribe([...names, ...unsaid]);
  // The model may come upon one of them by itself.
  const misheard = names.filter((name) => !plain.text.includes(name));
  expect(misheard.length).toBeGreaterThan(0);
  for (const name of misheard) {
    const word = helped.words.find((each) => each.word.includes(name));
    expect(word?.probability).toBeGreaterThan(0.5);
    expect(word?.end).toBeGreaterThan(word?.start ?? Number.NaN);
  }
  for (const name of names) expect(helped.text).toContain(name);
  expect(helped.words.map(({ word }) => word).join(' ')).toBe(helped.text);
  const untouched = helped.words.filter(({ word }) => !names.some((name) => word.includes(name)));
  const before = new Set(plain.words.map(({ word }) => word));
  expect(untouched.filter(({ word }) => !before.has(word))).toEqual([]);
  const starts = helped.words.map(({ start }) => start);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
});

test('a glossary of words that are not said, and an empty one: change nothing', async () => {
  expect(await transcribe(unsaid)).toEqual(plain);
  expect(await transcribe([])).toEqual(plain);
});

test('a cancelled transcription with a glossary: ends with the reason', async () => {
  const reason = new Error('not wanted any more');
  const payload = { windows: [samples], language: 'en', wordTimes: true, glossary: names };
  await expect(runtime.run('transcribe-windows', payload, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('a glossary of another form: refused', async () => {
  const payload = { windows: [samples], language: 'en', wordTimes: true, glossary: [1] as unknown as string[] };
  await expect(runtime.run('transcribe-windows', payload)).rejects.toMatchObject({ code: 'invalid_request' });
});
