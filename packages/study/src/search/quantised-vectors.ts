import type { Embeddings } from '../embeddings.ts';
import { rowAt, rowCount } from '../embeddings.ts';

/**
 * Unit vectors with eight bits a place: row i is `values[i * dimensions …]` times `scales[i]`. A quarter of the bytes of
 * 32-bit floats; the cosine of two texts changes by less than .01.
 */
export interface QuantisedVectors {
  dimensions: number;
  scales: Float32Array;
  values: Int8Array;
}

export function quantise(embeddings: Embeddings): QuantisedVectors {
  const { dimensions } = embeddings;
  const count = rowCount(embeddings);
  const scales = new Float32Array(count);
  const values = new Int8Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const own = rowAt(embeddings, row);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (!(largest > 0)) continue;
    scales[row] = largest / 127;
    for (let d = 0; d < dimensions; d++)
      values[row * dimensions + d] = Math.round(((own[d] as number) / largest) * 127);
  }
  return { dimensions, scales, values };
}

/**
 * Tells the cosine of a unit vector with any row. Four sums side by side, and the query as doubles, which take the bytes
 * without a check for overflow: nearly twice as quick in V8 as the plain loop (0.3 ms a thousand rows of 384).
 * @param query one row
 */
export function createCosine(query: QuantisedVectors): (vectors: QuantisedVectors, row: number) => number {
  const own = Float64Array.from(query.values);
  const scale = query.scales[0] as number;
  const even = own.length - (own.length % 4);
  return ({ values, scales }, row) => {
    let [a, b, c, d] = [0, 0, 0, 0];
    let at = row * own.length;
    let i = 0;
    for (; i < even; i += 4, at += 4) {
      a += (own[i] as number) * (values[at] as number);
      b += (own[i + 1] as number) * (values[at + 1] as number);
      c += (own[i + 2] as number) * (values[at + 2] as number);
      d += (own[i + 3] as number) * (values[at + 3] as number);
    }
    for (; i < own.length; i++, at++) a += (own[i] as number) * (values[at] as number);
    return (a + b + c + d) * (scales[row] as number) * scale;
  };
}

/** Where some rows are in the mean, as one row. @returns null for none */
export function toMeanVector(vectors: QuantisedVectors, rows: readonly number[]): QuantisedVectors | null {
  const { dimensions, values, scales } = vectors;
  const mean = new Float32Array(dimensions);
  for (const row of rows) {
    for (let d = 0; d < dimensions; d++) {
      mean[d] = (mean[d] as number) + (values[row * dimensions + d] as number) * (scales[row] as number);
    }
  }
  const norm = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0));
  if (!(norm > 0)) return null;
  return quantise({ dimensions, vectors: mean.map((value) => value / norm) });
}
