import { copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundledModel, describeEngine, type EngineUnderTest } from './support/engine-suite.ts';
import { stripOutputs } from './support/strip-outputs.ts';

// The engine whisper-node needs a program that takes a minute to build: e2e/system/whisper-node.test.ts.

const whisperBase = bundledModel('whisper-base');
const graphs = ['onnx/encoder_model_quantized.onnx', 'onnx/decoder_model_merged_quantized.onnx'] as const;
const others = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'preprocessor_config.json',
];

async function damage(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'onnx'));
  for (const name of others) await copyFile(path.join(whisperBase, name), path.join(folder, name));
  for (const name of graphs) {
    const whole = await readFile(path.join(whisperBase, name));
    await writeFile(path.join(folder, name), whole.subarray(0, whole.length >> 1));
  }
}

const bundled: Omit<EngineUnderTest, 'engine'> = {
  prepare: async () => ({ model: whisperBase }),
  damage,
  maxWordErrorRate: 0.08,
};

/** What others export: no attention, no keys and values of the encoder, one window at a time. */
async function makeUsualExport(dir: string): Promise<string> {
  const folder = await mkdtemp(path.join(dir, 'usual-'));
  await mkdir(path.join(folder, 'onnx'));
  for (const name of others) await symlink(path.join(whisperBase, name), path.join(folder, name));
  for (const name of graphs) {
    const graph = await readFile(path.join(whisperBase, name));
    await writeFile(path.join(folder, name), stripOutputs(graph, ['cross_']));
  }
  return folder;
}
const usual: Omit<EngineUnderTest, 'engine'> = {
  ...bundled,
  prepare: async (dir) => ({ model: await makeUsualExport(dir) }),
  onlyWords: true,
};

describeEngine('onnx with the bundled model', { ...bundled, engine: 'onnx', translates: true });
describeEngine('onnx with an export of the usual form', { ...usual, engine: 'onnx' });
describeEngine('transformers with the bundled model', { ...bundled, engine: 'transformers' });
describeEngine('transformers with an export of the usual form', { ...usual, engine: 'transformers' });
