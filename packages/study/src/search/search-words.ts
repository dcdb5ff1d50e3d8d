import { createTerms, findWords, type Terms } from '../text-terms.ts';

/** A word of a text under which the text is found. */
export interface SearchWord {
  /** Its stem; numbers stay as they are. */
  term: string;
  /** As it stands there, in lower case. */
  lower: string;
  /** UTF-16 indexes in the text. */
  from: number;
  to: number;
}

export interface SearchWords {
  language: string;
  /** The words of a text that are no stop words, in order. Parts of "lower-case" are words of their own. */
  wordsOf(text: string): SearchWord[];
}

/** Nobody looks for longer ones, and a stemmer or a dictionary must not be given a text without spaces. */
const maxWordLength = 64;

export function createSearchWords(language: string | null): SearchWords {
  const terms = createTerms({ language });
  return { language: terms.language, wordsOf: (text) => wordsOf(text, terms) };
}

function wordsOf(text: string, terms: Terms): SearchWord[] {
  const words: SearchWord[] = [];
  for (const word of findWords(text)) {
    let from = word.index;
    // Hyphens only: "3.5" and "it's" stay whole. Parted as written, since a word can be longer in lower case ("İ").
    for (const written of word.text.split('-')) {
      const part = written.toLowerCase().replaceAll('’', "'");
      const to = from + written.length;
      const isShort = part.length === 1 && /^\p{Script=Latin}$/u.test(part);
      if (part !== '' && part.length <= maxWordLength && !isShort && !terms.isStopWord(part)) {
        words.push({ term: /^\p{N}/u.test(part) ? part : terms.stem(part), lower: part, from, to });
      }
      from = to + 1;
    }
  }
  return words;
}
