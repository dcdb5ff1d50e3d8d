import type { KeywordIndex } from './keyword-index.ts';

/**
 * The postings of one lecture in about two bytes each, as inverted files are kept (Manning, Raghavan and Schütze,
 * "Introduction to Information Retrieval", 2008, section 5.3). Terms ascend by their number in the common dictionary. Of each
 * stand there: how much its number is above that of the term before, how many passages it stands in, and for each of those
 * twice the distance from the row before, plus one where it stands there more than once, and then how often. Numbers take
 * seven bits a byte, the low ones first.
 */
export interface Postings {
  /** Every `blockTerms`th term begins a block: its number, and where it stands in `bytes`. */
  firsts: Uint32Array;
  offsets: Uint32Array;
  bytes: Uint8Array;
}

const blockTerms = 8;
/** Longest that a term's number and count of passages, and a row and its count, can be. */
const termBytes = 5 + 5;
const postingBytes = 3 + 2;

/** @param numbers of the terms in the common dictionary */
export function packPostings({ starts, rows, counts }: KeywordIndex, numbers: Uint32Array): Postings {
  const order = Uint32Array.from(numbers.keys()).sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
  const firsts = new Uint32Array(Math.ceil(order.length / blockTerms));
  const offsets = new Uint32Array(firsts.length);
  const bytes = new Uint8Array(order.length * termBytes + rows.length * postingBytes);
  let at = 0;
  const write = (value: number): void => {
    let rest = value;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
  };
  let last = 0;
  order.forEach((term, i) => {
    const number = numbers[term] as number;
    if (i % blockTerms === 0) {
      firsts[i / blockTerms] = number;
      offsets[i / blockTerms] = at;
      last = number;
    }
    write(number - last);
    last = number;
    const [from, to] = [starts[term] as number, starts[term + 1] as number];
    write(to - from);
    let row = 0;
    for (let posting = from; posting < to; posting++) {
      const count = counts[posting] as number;
      write(((rows[posting] as number) - row) * 2 + (count > 1 ? 1 : 0));
      if (count > 1) write(count);
      row = rows[posting] as number;
    }
  });
  return { firsts, offsets, bytes: bytes.slice(0, at) };
}

/** Reads what `packPostings` has written, from a place on. */
class Reader {
  at: number;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }
  next(): number {
    let byte = this.bytes[this.at++] as number;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = this.bytes[this.at++] as number;
      value |= (byte & 127) << shift;
    }
    return value;
  }
}

/** Where a term's postings begin; -1 when the lecture does not have it. */
export function findPostings({ firsts, offsets, bytes }: Postings, number: number): number {
  let low = 0;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((firsts[middle] as number) <= number) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return -1;
  const reader = new Reader(bytes, offsets[low - 1] as number);
  const end = offsets[low] ?? bytes.length;
  let current = firsts[low - 1] as number;
  while (reader.at < end) {
    current += reader.next();
    if (current === number) return reader.at;
    if (current > number) return -1;
    for (let left = reader.next(); left > 0; left--) if (reader.next() & 1) reader.next();
  }
  return -1;
}

/** In how many passages a term stands. @param at as `findPostings` says, not -1 */
export function countPassages({ bytes }: Postings, at: number): number {
  return new Reader(bytes, at).next();
}

/** Calls back with the row of each passage that has the term, ascending, and how often it stands there. */
export function eachPosting({ bytes }: Postings, at: number, take: (row: number, count: number) => void): void {
  const reader = new Reader(bytes, at);
  let row = 0;
  for (let left = reader.next(); left > 0; left--) {
    const step = reader.next();
    row += step >>> 1;
    take(row, step & 1 ? reader.next() : 1);
  }
}
