import type { Attention } from './whisper-model.ts';

/** The attention of the alignment heads in one lane, kept row by row as tokens are fed. */
export interface AttentionRows {
  /** @param row [heads, columns]; it is kept, not copied */
  add(row: Float32Array): void;
  /** The first `rowCount` rows (fewer if fewer were fed). */
  read(rowCount: number): Attention;
}

export function createAttentionRows(headCount: number): AttentionRows {
  const rows: Float32Array[] = [];
  return {
    add(row) {
      rows.push(row);
    },
    read(wanted) {
      const rowCount = Math.min(wanted, rows.length);
      const columnCount = headCount === 0 ? 0 : (rows[0]?.length ?? 0) / headCount;
      const attention = new Float32Array(headCount * rowCount * columnCount);
      for (let r = 0; r < rowCount; r++) {
        const row = rows[r] as Float32Array;
        for (let h = 0; h < headCount; h++) {
          attention.set(row.subarray(h * columnCount, (h + 1) * columnCount), (h * rowCount + r) * columnCount);
        }
      }
      return { attention, headCount, rowCount, columnCount };
    },
  };
}

/**
 * The rows of one lane out of what the decoder gave, [lanes, heads, tokens, columns].
 * @returns one row [heads, columns] for each token
 */
export function attentionRowsOf(data: Float32Array, dims: readonly number[], lane: number): Float32Array[] {
  const [, headCount = 0, tokenCount = 0, columnCount = 0] = dims;
  return Array.from({ length: tokenCount }, (_, token) => {
    const row = new Float32Array(headCount * columnCount);
    for (let head = 0; head < headCount; head++) {
      const from = ((lane * headCount + head) * tokenCount + token) * columnCount;
      row.set(data.subarray(from, from + columnCount), head * columnCount);
    }
    return row;
  });
}
