import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSpeechRuntime, type SpeechRuntime } from '../src/model-process/speech-runtime.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bundled = join(root, 'models/whisper-base');
const vad = join(root, 'models/silero-vad');
let runtime: SpeechRuntime;
/** "…in being comparatively modern": two seconds of the sample. */
let modern: Int16Array;

beforeAll(async () => {
  const file = join(root, 'samples/history-of-printing.mp3');
  const args = ['-v', 'error', '-ss', '9.3', '-i', file, '-t', '2.2', '-ar', '16000', '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = spawnSync('ffmpeg', args);
  modern = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  runtime = await createSpeechRuntime({ modelDirs: { whisper: bundled, vad }, threads: 2 });
});
afterAll(() => runtime?.close());

const candidates = [
  'comparatively cheap',
  'being comparatively modern',
  'In being comparatively modern.',
  'wood blocks engraved in relief',
  'zero',
];
const best = ({ probabilities }: { probabilities: number[] }) => probabilities.indexOf(Math.max(...probabilities));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test('candidates for a clip: the spoken one is by far the likeliest, in the language that is heard', async () => {
  const ranked = await runtime.run('rank-candidates', { samples: modern, candidates, language: null });
  expect(best(ranked)).toBe(2);
  expect(sum(ranked.probabilities)).toBeCloseTo(1, 6);
  expect(ranked.anyProbability).toBeGreaterThan(0.9);
  expect(ranked.language).toBe('en');
  const again = await runtime.run('rank-candidates', { samples: modern, candidates, language: null });
  expect(again).toEqual(ranked);
});

test('candidates of which none is spoken: are doubted', async () => {
  const others = ['zero', 'seven', 'good morning everybody'];
  const ranked = await runtime.run('rank-candidates', { samples: modern, candidates: others, language: 'en' });
  expect(ranked.anyProbability).toBeLessThan(0.5);
});

test('candidates for silence: are doubted, and their probabilities are numbers', async () => {
  const ranked = await runtime.run('rank-candidates', { samples: new Int16Array(800), candidates, language: null });
  expect(ranked.anyProbability).toBeLessThan(0.1);
  expect(sum(ranked.probabilities)).toBeCloseTo(1, 6);
});

test('candidates with the decoder of other exports: the same one wins', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'studymate-merged-'));
  try {
    await cp(bundled, folder, { recursive: true, filter: (file) => !file.includes('decoder_batched') });
    const merged = await createSpeechRuntime({ modelDirs: { whisper: folder, vad }, threads: 2 });
    const ranked = await merged.run('rank-candidates', { samples: modern, candidates, language: 'en' });
    await merged.close();
    expect(best(ranked)).toBe(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('candidates that are too long together, and a request of another form: invalid_request', async () => {
  const long = Array.from({ length: 200 }, (_, i) => `${i} ${'ᎠᎡᎢ'.repeat(32)}`);
  const run = (payload: object) =>
    runtime.run('rank-candidates', { samples: modern, candidates, language: 'en', ...payload });
  await expect(run({ candidates: long })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(run({ candidates: [] })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(run({ samples: new Int16Array(31 * 16_000) })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(run({ language: 'Klingon' })).rejects.toMatchObject({ code: 'unknown_language' });
});

test('candidates that are cancelled: end with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('gone');
  const running = runtime.run(
    'rank-candidates',
    { samples: modern, candidates, language: 'en' },
    { signal: controller.signal, pause: async () => controller.abort(reason) },
  );
  await expect(running).rejects.toBe(reason);
});
