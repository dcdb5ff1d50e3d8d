import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLogMel } from '@studymate/speech/log-mel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWhisperModel, type WhisperModel } from '../src/model-process/whisper-model.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const bundled = join(root, 'models/whisper-base');
let folder: string;
let batched: WhisperModel;
let merged: WhisperModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studymate-prefix-'));
  await cp(bundled, folder, { recursive: true, filter: (file) => !file.includes('decoder_batched') });
  batched = await loadWhisperModel({ folder: bundled, threads: 2 });
  merged = await loadWhisperModel({ folder, threads: 2 });
});

afterAll(async () => {
  await batched?.close();
  await merged?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The mean log probability of a text's tokens and its end, with everything fed in pieces of the given sizes. */
async function likelihood(model: WhisperModel, texts: readonly string[][]): Promise<number[]> {
  const { tokens } = model;
  const file = join(root, 'samples/history-of-printing.mp3');
  const { stdout } = spawnSync('ffmpeg', [
    '-v',
    'error',
    '-i',
    file,
    '-t',
    '5',
    '-ar',
    '16000',
    '-ac',
    '1',
    '-f',
    's16le',
    '-',
  ]);
  const samples = new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  const window = await model.encode(1, async () => createLogMel(model.melBandCount).compute(samples));
  const language = tokens.languageIds.get('en') as number;
  const start = await model.startPrefix(window, [
    tokens.startOfTranscript,
    language,
    tokens.transcribe,
    tokens.noTimestamps,
  ]);
  const means: number[] = [];
  for (const pieces of texts) {
    let prefix = start;
    let last = start.logits.at(-1) as Float32Array;
    let sum = 0;
    let count = 0;
    for (const piece of pieces) {
      const fed = tokens.encode(piece);
      prefix = await prefix.extend(fed);
      for (const [i, token] of fed.entries()) {
        sum += logShare(last, token);
        last = prefix.logits[i] as Float32Array;
        count++;
      }
    }
    means.push(sum / count);
  }
  return means;
}

function logShare(logits: Float32Array, token: number): number {
  const greatest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((all, value) => all + Math.exp(value - greatest), 0);
  return (logits[token] as number) - greatest - Math.log(sum);
}

const spoken = [' Printing,', ' in the only sense with which we are'];
const other = [' Printing,', ' on a cold winter morning they ate'];
const whole = [spoken.join('')];

test.each([
  ['batched', () => batched],
  ['merged', () => merged],
])(
  '%s graph: texts go on from the same prefix, the spoken one is likelier, fed whole or in pieces',
  async (_, model) => {
    const [right, wrong, rightAgain, rightWhole] = await likelihood(model(), [spoken, other, spoken, whole]);
    expect(right).toBeGreaterThan(-0.5);
    expect(wrong).toBeLessThan(-3);
    expect(rightAgain).toBe(right);
    expect(rightWhole).toBeCloseTo(right as number, 0);
  },
);

test('both graphs: find the same text about as likely', async () => {
  const [a] = await likelihood(batched, [spoken]);
  const [b] = await likelihood(merged, [spoken]);
  expect(Math.abs((a as number) - (b as number))).toBeLessThan(0.15);
});
