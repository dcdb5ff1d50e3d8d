import type { Dictionary } from './dictionary.ts';
import type { KeywordIndex } from './keyword-index.ts';
import { type Postings, packPostings } from './postings.ts';
import type { QuantisedVectors } from './quantised-vectors.ts';
import { toSignBits } from './sign-bits.ts';

/** The index of one lecture, or of a part of one, among those that are searched together. */
export interface Shard {
  postings: Postings;
  /** Words of each passage, stop words left out. */
  lengths: Uint16Array;
  /** Words of all passages together. */
  wordCount: number;
  /** Null while there are none. */
  vectors: QuantisedVectors | null;
  /** Of the vectors, row by row. */
  signs: Uint32Array | null;
  /** What it takes of the memory. */
  bytes: number;
}

/**
 * Adds the terms to the dictionary. Holds copies of what it needs: the bytes that an index was read from can go, and a third
 * of them is not needed any more.
 */
export function toShard(keywords: KeywordIndex, vectors: QuantisedVectors | null, dictionary: Dictionary): Shard {
  const postings = packPostings(
    keywords,
    Uint32Array.from(keywords.terms, (term) => dictionary.add(term)),
  );
  const lengths = keywords.lengths.slice();
  const own = vectors && { ...vectors, scales: vectors.scales.slice(), values: vectors.values.slice() };
  const signs = own && toSignBits(own);
  const parts: ArrayBufferView[] = [postings.firsts, postings.offsets, postings.bytes, lengths];
  if (own && signs) parts.push(own.scales, own.values, signs);
  return {
    postings,
    lengths,
    wordCount: lengths.reduce((sum, length) => sum + length, 0),
    vectors: own,
    signs,
    bytes: parts.reduce((sum, part) => sum + part.byteLength, 0),
  };
}
