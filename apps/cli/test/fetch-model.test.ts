import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { modelId, openFakeHub, revision } from '@studymate/models/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli } from './support/cli.ts';

let dir: string;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'studymate-fetch-'));
  env = { DATA_DIR: dir, HUB_URL: 'http://127.0.0.1:9' };
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('fetch-model downloads a model of the hub and prints its folder', async () => {
  const files = ['config.json', 'generation_config.json', 'tokenizer.json'];
  const graphs = ['onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx'];
  const hub = await openFakeHub(Object.fromEntries([...files, ...graphs].map((file) => [file, file.repeat(100)])));
  try {
    const { status, out, err } = await cli(['fetch-model', `${modelId}@${revision}`], { ...env, HUB_URL: hub.url });
    expect([status, out]).toEqual([0, path.join(dir, 'models', `some-maker--whisper-made@${revision}`)]);
    expect(err).toMatch(/of 0\.0 MB/);
    expect(await readFile(path.join(out, 'config.json'), 'utf8')).toBe('config.json'.repeat(100));
  } finally {
    await hub.close();
  }
});

test.each(['whisper-base', `${modelId}@main`, '../x', modelId])(
  'fetch-model %s is called in a wrong way',
  async (name) => {
    const { status, err } = await cli(['fetch-model', name], env);
    expect(status).toBe(2);
    expect(err).toMatch(/^fetch-model: (give|name)/);
  },
);
