import type { SearchWords } from './search-words.ts';

/** UTF-16 indexes: `text.slice(from, to)` is the word. */
export interface Highlight {
  from: number;
  to: number;
}

const maxHighlights = 100;

/** Where the words stand that were looked for, in order; those with only spaces or hyphens between them are one. */
export function findHighlights(text: string, terms: ReadonlySet<string>, words: SearchWords): Highlight[] {
  const found: Highlight[] = [];
  for (const { term, from, to } of words.wordsOf(text)) {
    if (!terms.has(term)) continue;
    const last = found.at(-1);
    if (last && /^[\s-]*$/.test(text.slice(last.to, from))) last.to = to;
    else if (found.length < maxHighlights) found.push({ from, to });
  }
  return found;
}
