import type { Breathe } from './search-shards.ts';
import type { SearchWord, SearchWords } from './search-words.ts';

/** In which passages each term of a lecture stands, and how often. A passage is known by its place, its row. */
export interface KeywordIndex {
  /** Ascending by code unit, each once. */
  terms: readonly string[];
  /** The postings of term i are `starts[i]` to `starts[i + 1]`, exclusive. */
  starts: Uint32Array;
  /** Row and count of each posting, rows ascending within a term. */
  rows: Uint16Array;
  counts: Uint8Array;
  /** Words of each passage, stop words left out. */
  lengths: Uint16Array;
}

export function buildKeywordIndex(texts: readonly string[], words: SearchWords): KeywordIndex {
  return indexWords(texts.map((text) => words.wordsOf(text)));
}

/** As `buildKeywordIndex`, for where others need the thread meanwhile. @param breathe called after each text */
export async function buildKeywordIndexSlowly(
  texts: readonly string[],
  words: SearchWords,
  breathe: Breathe,
): Promise<KeywordIndex> {
  const wordsByText: SearchWord[][] = [];
  for (const text of texts) {
    wordsByText.push(words.wordsOf(text));
    await breathe();
  }
  return indexWords(wordsByText);
}

function indexWords(wordsByText: readonly (readonly SearchWord[])[]): KeywordIndex {
  const postings = new Map<string, { row: number; count: number }[]>();
  const lengths = new Uint16Array(wordsByText.length);
  wordsByText.forEach((own, row) => {
    lengths[row] = Math.min(65_535, own.length);
    for (const { term } of own) {
      const list = postings.get(term);
      const last = list?.at(-1);
      if (list === undefined) postings.set(term, [{ row, count: 1 }]);
      else if (last?.row === row) last.count++;
      else list.push({ row, count: 1 });
    }
  });
  const terms = [...postings.keys()].sort();
  const starts = new Uint32Array(terms.length + 1);
  terms.forEach((term, i) => {
    starts[i + 1] = (starts[i] as number) + (postings.get(term)?.length ?? 0);
  });
  const size = starts[terms.length] as number;
  const rows = new Uint16Array(size);
  const counts = new Uint8Array(size);
  let at = 0;
  for (const term of terms) {
    for (const { row, count } of postings.get(term) ?? []) {
      rows[at] = row;
      counts[at++] = Math.min(255, count);
    }
  }
  return { terms, starts, rows, counts, lengths };
}
