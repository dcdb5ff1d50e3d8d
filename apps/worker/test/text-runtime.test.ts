import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  batchSizeOf,
  createTextRuntime,
  type EmbedResult,
  type TextRuntime,
} from '../src/model-process/text-runtime.ts';

const text = fileURLToPath(new URL('../../../models/all-MiniLM-L6-v2', import.meta.url));
let runtime: TextRuntime;

beforeAll(async () => {
  runtime = await createTextRuntime({ modelDirs: { text }, threads: 2 });
});
afterAll(() => runtime.close());

const row = ({ vectors, dimensions }: EmbedResult, index: number): Float32Array =>
  vectors.subarray(index * dimensions, (index + 1) * dimensions);
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

test('texts of like meaning have vectors close to each other, each of length 1', async () => {
  const result = await runtime.run('embed', {
    texts: [
      'Plants turn sunlight into sugar.',
      'The stock market fell sharply today.',
      'Photosynthesis makes sugar from light.',
    ],
  });
  expect(result.dimensions).toBe(384);
  expect(result.vectors).toHaveLength(3 * 384);
  for (const index of [0, 1, 2]) expect(dot(row(result, index), row(result, index))).toBeCloseTo(1, 4);
  expect(dot(row(result, 0), row(result, 2))).toBeGreaterThan(dot(row(result, 0), row(result, 1)) + 0.3);
});

test('vectors come in the order of the texts, whatever their lengths, in more than one batch', async () => {
  const texts = Array.from({ length: 70 }, (_, i) => `${'A longer sentence. '.repeat((i * 7) % 11)}Number ${i}.`);
  const together = await runtime.run('embed', { texts });
  for (const index of [0, 33, 69]) {
    const alone = await runtime.run('embed', { texts: [texts[index] as string] });
    expect(dot(row(alone, 0), row(together, index))).toBeGreaterThan(0.98);
  }
});

test.each([
  ['32 sentences of a line each', Array<number>(32).fill(100), 32],
  ['long sentences', Array<number>(32).fill(1_000), 20],
  ['texts that the model cuts off', Array<number>(32).fill(20_000), 8],
  ['one endless text', [1_000_000], 1],
  ['short ones before a long one', [10, 10, 2_500, 2_500], 4],
])('%s go together as far as one batch stays short', (_, lengths, expected) => {
  expect(batchSizeOf(lengths)).toBe(expected);
});

test('between batches other work may be done: as often as the length of the texts asks for it', async () => {
  let pauses = 0;
  const pause = async () => void pauses++;
  await runtime.run('embed', { texts: Array<string>(16).fill('word '.repeat(700)) }, { pause });
  expect(pauses).toBe(2);
});

test('no texts, empty texts and very long texts are taken', async () => {
  expect((await runtime.run('embed', { texts: [] })).vectors).toHaveLength(0);
  const result = await runtime.run('embed', { texts: ['', 'word '.repeat(20_000)] });
  expect(result.vectors.every((value) => Number.isFinite(value))).toBe(true);
});

test('a payload of another form, and a signal that is aborted, are refused', async () => {
  await expect(runtime.run('embed', { texts: [1] } as never)).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(runtime.run('sing' as never, { texts: [] })).rejects.toMatchObject({ code: 'invalid_request' });
  const reason = new Error('stop');
  await expect(runtime.run('embed', { texts: ['a'] }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('missing weights have their own code', async () => {
  const missing = createTextRuntime({ modelDirs: { text: `${text}-none` }, threads: 1 });
  await expect(missing).rejects.toMatchObject({ code: 'model_missing' });
});
