import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultDownloadLimits } from '../src/hub-download.ts';
import { createModelStore, type ModelStore } from '../src/model-store.ts';
import { modelId, openFakeHub, revision } from './support/fake-hub.ts';

const bundled = new URL('../../../models/silero-vad', import.meta.url).pathname;
const name = `${modelId}@${revision}`;
const signal = new AbortController().signal;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-store-'));
});
afterEach(() => rm(dir, { recursive: true }));

const openStore = (hubUrl = 'http://127.0.0.1:9'): ModelStore =>
  createModelStore({
    modelsDir: path.join(dir, 'own'),
    cacheDir: path.join(dir, 'cache'),
    stampDir: path.join(dir, 'stamps'),
    hubUrl,
    hubToken: null,
    findBundled: (model) => (model === 'silero-vad' ? bundled : null),
    limits: { ...defaultDownloadLimits, maxFailures: 1 },
  });

test('a bundled model is found; a folder of the same name in MODELS_DIR comes before it, under another weights name', async () => {
  const store = openStore();
  expect(await store.find('silero-vad')).toBe(bundled);
  const before = await store.weightsName('silero-vad');
  expect(before).toMatch(/^silero-vad#[0-9a-f]{8}$/);
  expect(await store.prepare('silero-vad', signal)).toEqual({ folder: bundled, weightsName: before });
  const own = path.join(dir, 'own', 'silero-vad');
  await cp(bundled, own, { recursive: true });
  await rm(path.join(own, 'SHA256SUMS'));
  expect(await store.find('silero-vad')).toBe(own);
  expect(await store.weightsName('silero-vad')).not.toBe(before);
});

test('a model that is nowhere: the places and the names that there are', async () => {
  await mkdir(path.join(dir, 'own', 'whisper-own'), { recursive: true });
  await expect(openStore().prepare('whisper-none', signal)).rejects.toMatchObject({
    code: 'model_missing',
    message: expect.stringMatching(/"whisper-none" was not found.*own, the bundled models.*there are: whisper-own/),
  });
});

test("a hub's model is downloaded once, and then is a folder like others, known by its weights", async () => {
  const files = ['config.json', 'generation_config.json', 'tokenizer.json'];
  const graphs = ['onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx'];
  const hub = await openFakeHub(Object.fromEntries([...files, ...graphs].map((file) => [file, `{"is":"${file}"}`])));
  try {
    const store = openStore(hub.url);
    expect(await store.weightsName(name)).toBe(`${modelId}#none`);
    await expect(store.find(name)).rejects.toMatchObject({ code: 'model_missing' });
    const { folder, weightsName } = await store.prepare(name, signal);
    expect(folder).toBe(path.join(dir, 'cache', `some-maker--whisper-made@${revision}`));
    expect(weightsName).toMatch(/^some-maker\/whisper-made#[0-9a-f]{8}$/);
    const asked = hub.requests.length;
    expect(await store.prepare(name, signal)).toEqual({ folder, weightsName });
    expect(await store.weightsName(name)).toBe(weightsName);
    expect(hub.requests.length).toBe(asked);
    await writeFile(path.join(folder, 'config.json'), 'damaged');
    await expect(store.prepare(name, signal)).rejects.toMatchObject({ code: 'model_damaged' });
  } finally {
    await hub.close();
  }
});

test('without a hub: what to do, and what was brought there by hand is taken', async () => {
  const store = openStore();
  await expect(store.prepare(name, signal)).rejects.toMatchObject({
    code: 'model_unreachable',
    message: expect.stringMatching(
      /could not be downloaded: .*fetch-model some-maker\/whisper-made@.*copy that folder to/,
    ),
  });
  const folder = path.join(dir, 'own', `some-maker--whisper-made@${revision}`);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'config.json'), '{}');
  expect((await store.prepare(name, signal)).folder).toBe(folder);
});
