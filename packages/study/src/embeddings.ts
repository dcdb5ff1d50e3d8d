/** Sentence vectors, one L2-normalised row a sentence: row i is `vectors[i * dimensions …]`. */
export interface Embeddings {
  dimensions: number;
  vectors: Float32Array;
}

export function rowCount(embeddings: Embeddings): number {
  return embeddings.dimensions === 0 ? 0 : Math.floor(embeddings.vectors.length / embeddings.dimensions);
}

/** The row itself, not a copy. */
export function rowAt(embeddings: Embeddings, row: number): Float32Array {
  return embeddings.vectors.subarray(row * embeddings.dimensions, (row + 1) * embeddings.dimensions);
}

export function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

/** The mean of the given rows (all of them without `rows`); zeros for none. */
export function meanRow(embeddings: Embeddings, rows?: readonly number[]): Float64Array {
  const { dimensions } = embeddings;
  const mean = new Float64Array(dimensions);
  const count = rows?.length ?? rowCount(embeddings);
  for (let position = 0; position < count; position++) {
    const row = rowAt(embeddings, rows?.[position] ?? position);
    for (let d = 0; d < dimensions; d++) mean[d] = (mean[d] as number) + (row[d] as number) / count;
  }
  return mean;
}

/** Cosine similarity; 0 when either has no length. */
export function cosine(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  const norm = Math.sqrt(dot(a, a) * dot(b, b));
  return norm > 0 ? dot(a, b) / norm : 0;
}

/** A copy with only the given rows. */
export function pickRows(embeddings: Embeddings, rows: readonly number[]): Embeddings {
  const { dimensions } = embeddings;
  const vectors = new Float32Array(rows.length * dimensions);
  rows.forEach((row, position) => {
    vectors.set(rowAt(embeddings, row), position * dimensions);
  });
  return { dimensions, vectors };
}
