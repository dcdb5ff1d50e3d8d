/**
 * Sentence embeddings for the measurements: all-MiniLM-L6-v2 (q8) from the bundled weights, kept on disk by the
 * hash of their texts, so that a second run measures the algorithm and not the model.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const dimensions = 384;
const batchSize = 32;
const modelsFolder = fileURLToPath(new URL('../../models/', import.meta.url));

/** @returns {{embed: (texts: string[]) => Promise<{dimensions: number, vectors: Float32Array}>}} */
export function createEmbedder({ cacheFolder = path.join(tmpdir(), 'studymate-bench-embeddings') } = {}) {
  mkdirSync(cacheFolder, { recursive: true });
  let extractor;

  async function load() {
    const { env, pipeline } = await import('@huggingface/transformers');
    env.allowRemoteModels = false;
    env.localModelPath = modelsFolder;
    return pipeline('feature-extraction', 'all-MiniLM-L6-v2', { dtype: 'q8' });
  }

  async function embed(texts) {
    const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 32);
    const file = path.join(cacheFolder, `${hash}.f32`);
    if (existsSync(file)) {
      const bytes = readFileSync(file);
      return { dimensions, vectors: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) };
    }
    extractor ??= await load();
    const vectors = new Float32Array(texts.length * dimensions);
    const order = texts.map((_, index) => index).sort((a, b) => texts[a].length - texts[b].length);
    for (let at = 0; at < order.length; at += batchSize) {
      const rows = order.slice(at, at + batchSize);
      const output = await extractor(
        rows.map((row) => texts[row].slice(0, 4_000) || ' '),
        { pooling: 'mean', normalize: true },
      );
      rows.forEach((row, position) => {
        vectors.set(output.data.subarray(position * dimensions, (position + 1) * dimensions), row * dimensions);
      });
    }
    writeFileSync(file, new Uint8Array(vectors.buffer));
    return { dimensions, vectors };
  }

  return { embed };
}
