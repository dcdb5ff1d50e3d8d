import type { QuantisedVectors } from './quantised-vectors.ts';

/**
 * The signs of vectors, a bit each, row by row in whole 32-bit words. In how many two vectors differ tells roughly the angle
 * between them (Charikar, "Similarity estimation techniques from rounding algorithms", 2002), in an eighth of the time that
 * the cosine takes: enough to leave out what cannot be among the best.
 */
export function toSignBits({ dimensions, values }: QuantisedVectors): Uint32Array {
  const width = wordsARow(dimensions);
  const rows = dimensions > 0 ? values.length / dimensions : 0;
  const bits = new Uint32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let d = 0; d < dimensions; d++) {
      if ((values[row * dimensions + d] as number) < 0) {
        const word = row * width + (d >>> 5);
        bits[word] = (bits[word] as number) | (1 << (d & 31));
      }
    }
  }
  return bits;
}

export function wordsARow(dimensions: number): number {
  return Math.ceil(dimensions / 32);
}

/** In how many signs each row differs from `own`, into `target` from `at` on. */
export function countDifferences(bits: Uint32Array, own: Uint32Array, target: Uint16Array, at: number): void {
  const width = own.length;
  for (let word = 0, row = at; word < bits.length; row++) {
    let count = 0;
    for (let i = 0; i < width; i++) {
      let x = (bits[word++] as number) ^ (own[i] as number);
      x -= (x >>> 1) & 0x55555555;
      x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
      x = (x + (x >>> 4)) & 0x0f0f0f0f;
      count += Math.imul(x, 0x01010101) >>> 24;
    }
    target[row] = count;
  }
}
