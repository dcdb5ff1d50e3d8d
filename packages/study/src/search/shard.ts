import type { Dictionary } from './dictionary.ts';
import type { KeywordIndex } from './keyword-index.ts';
import type { QuantisedVectors } from './quantised-vectors.ts';

/** The index of one lecture, or of a part of one, among those that are searched together. */
export interface Shard {
  /** Of its terms in the common dictionary, ascending; `places` says where each stands in `keywords.starts`. */
  numbers: Uint32Array;
  places: Uint32Array;
  starts: Uint32Array;
  rows: Uint16Array;
  counts: Uint8Array;
  lengths: Uint16Array;
  /** Words of all passages together. */
  wordCount: number;
  /** Null while there are none. */
  vectors: QuantisedVectors | null;
  /** What it takes of the memory. */
  bytes: number;
}

/** Adds the terms to the dictionary. */
export function toShard(keywords: KeywordIndex, vectors: QuantisedVectors | null, dictionary: Dictionary): Shard {
  const { terms, starts, rows, counts, lengths } = keywords;
  const known = Uint32Array.from(terms, (term) => dictionary.add(term));
  const places = Uint32Array.from(known.keys()).sort((a, b) => (known[a] as number) - (known[b] as number));
  const parts = [known, places, starts, rows, counts, lengths, ...(vectors ? [vectors.scales, vectors.values] : [])];
  return {
    numbers: Uint32Array.from(places, (place) => known[place] as number),
    places,
    starts,
    rows,
    counts,
    lengths,
    wordCount: lengths.reduce((sum, length) => sum + length, 0),
    vectors,
    bytes: parts.reduce((sum, part) => sum + part.byteLength, 0),
  };
}

/** Where a term's postings stand in `rows` and `counts`, the end exclusive; null when the shard does not have it. */
export function findPostings(shard: Shard, number: number): { from: number; to: number } | null {
  let low = 0;
  let high = shard.numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((shard.numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  if (shard.numbers[low] !== number) return null;
  const place = shard.places[low] as number;
  return { from: shard.starts[place] as number, to: shard.starts[place + 1] as number };
}
