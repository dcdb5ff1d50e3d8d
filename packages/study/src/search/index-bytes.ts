import { AppError } from '@studymate/contracts/errors';
import type { KeywordIndex } from './keyword-index.ts';
import type { QuantisedVectors } from './quantised-vectors.ts';

/** What is looked through of one lecture. The passages themselves lie beside it. */
export interface SearchIndex {
  /** By which its words were stemmed, for example "en". */
  language: string;
  /** Of whose sentences the vectors are made, for example "all-MiniLM-L6-v2#1a2b3c4d": others cannot be compared. */
  weights: string;
  keywords: KeywordIndex;
  /** One row a passage. */
  vectors: QuantisedVectors;
}

/**
 * The form of the bytes: this mark, eight 32-bit sizes, and then the parts in the order of `toIndexBytes`, each begun at a
 * multiple of four. Numbers are little-endian, as they are in memory here. Another form gets another mark.
 */
const mark = 'SMsrch1\n';
const sizeNames = [
  'passages',
  'terms',
  'postings',
  'dimensions',
  'vectors',
  'nameBytes',
  'termBytes',
  'totalBytes',
] as const;
type Sizes = Record<(typeof sizeNames)[number], number>;
const headBytes = mark.length + 4 * sizeNames.length;

const padded = (bytes: number) => Math.ceil(bytes / 4) * 4;

export function toIndexBytes({ language, weights, keywords, vectors }: SearchIndex): Uint8Array {
  const names = new TextEncoder().encode(`${language}\n${weights}`);
  // No term has a line's end in it: it would part words.
  const terms = new TextEncoder().encode(keywords.terms.join('\n'));
  const { starts, rows, lengths, counts } = keywords;
  const parts = [starts, vectors.scales, rows, lengths, counts, names, terms, vectors.values];
  const totalBytes = headBytes + parts.reduce((sum, part) => sum + padded(part.byteLength), 0);
  const sizes: Sizes = {
    passages: lengths.length,
    terms: keywords.terms.length,
    postings: rows.length,
    dimensions: vectors.dimensions,
    vectors: vectors.scales.length,
    nameBytes: names.length,
    termBytes: terms.length,
    totalBytes,
  };
  const bytes = new Uint8Array(totalBytes);
  bytes.set(new TextEncoder().encode(mark));
  bytes.set(new Uint8Array(Uint32Array.from(sizeNames, (name) => sizes[name]).buffer), mark.length);
  let at = headBytes;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += padded(part.byteLength);
  }
  return bytes;
}

/**
 * Reads without copying where the memory is aligned: what is returned keeps `given` alive.
 * @throws AppError `internal`, not retryable, when the bytes are damaged or of another form
 */
export function parseIndexBytes(given: Uint8Array): SearchIndex {
  const { buffer, byteOffset, byteLength } = given.byteOffset % 4 === 0 ? given : new Uint8Array(given);
  if (byteLength < headBytes || new TextDecoder().decode(given.subarray(0, mark.length)) !== mark)
    throw damaged('form');
  const head = new Uint32Array(buffer, byteOffset + mark.length, sizeNames.length);
  const sizes = Object.fromEntries(sizeNames.map((name, i) => [name, head[i]])) as Sizes;
  let at = headBytes;
  const take = (bytes: number): number => {
    const from = at;
    at += padded(bytes);
    if (at > byteLength) throw damaged('length');
    return byteOffset + from;
  };
  const { passages, terms, postings, dimensions, vectors } = sizes;
  const starts = new Uint32Array(buffer, take(4 * (terms + 1)), terms + 1);
  const scales = new Float32Array(buffer, take(4 * vectors), vectors);
  const rows = new Uint16Array(buffer, take(2 * postings), postings);
  const lengths = new Uint16Array(buffer, take(2 * passages), passages);
  const counts = new Uint8Array(buffer, take(postings), postings);
  const takeText = (bytes: number) => new TextDecoder().decode(new Uint8Array(buffer, take(bytes), bytes));
  const [language = '', weights = ''] = takeText(sizes.nameBytes).split('\n');
  const text = takeText(sizes.termBytes);
  const values = new Int8Array(buffer, take(vectors * dimensions), vectors * dimensions);
  if (at !== byteLength || sizes.totalBytes !== byteLength) throw damaged('length');
  const keywords = { terms: text === '' ? [] : text.split('\n'), starts, rows, counts, lengths };
  if (keywords.terms.length !== terms || vectors !== passages) throw damaged('sizes');
  if (starts[terms] !== postings || starts.some((start, i) => start > (starts[i + 1] ?? postings))) {
    throw damaged('postings');
  }
  for (let term = 0; term < terms; term++) {
    let before = -1;
    for (let at = starts[term] as number; at < (starts[term + 1] as number); at++) {
      const row = rows[at] as number;
      if (row <= before || row >= passages) throw damaged('rows');
      before = row;
    }
  }
  return { language, weights, keywords, vectors: { dimensions, scales, values } };
}

function damaged(what: string): AppError {
  return new AppError('internal', `The search index is damaged: its ${what} cannot be.`, { retryable: false });
}
