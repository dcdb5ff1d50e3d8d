import porter from 'natural/lib/natural/stemmers/porter_stemmer.js';
import porterFrench from 'natural/lib/natural/stemmers/porter_stemmer_fr.js';
import { stopWordsFor } from './stop-words.ts';

/** Scripts written without spaces: their words come from Intl.Segmenter. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const spacedWord = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’.-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*/gu;

/** Intl.Segmenter takes six times as long a word in a text of 20,000 characters as in one of 200. */
const shortPiece = /[^\p{P}\s]{1,200}[\p{P}\s]*|[\p{P}\s]+/gu;

export interface TextWord {
  /** As written. */
  text: string;
  /** Lower case, typographic apostrophes made plain. */
  lower: string;
  /** Index of its first UTF-16 unit in the text. */
  index: number;
}

function toLower(text: string): string {
  return text.toLowerCase().replaceAll('’', "'");
}

/** The words of a text in any script, without punctuation. `word-by-word`, `it's` and `3.5` stay whole. */
export function findWords(text: string): TextWord[] {
  const words: TextWord[] = [];
  if (unspaced.test(text)) {
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
    for (const { index: from, 0: piece } of text.matchAll(shortPiece)) {
      for (const part of segmenter.segment(piece)) {
        if (part.isWordLike) words.push({ text: part.segment, lower: toLower(part.segment), index: from + part.index });
      }
    }
    return words;
  }
  for (const match of text.matchAll(spacedWord)) {
    words.push({ text: match[0], lower: toLower(match[0]), index: match.index });
  }
  return words;
}

export interface Terms {
  language: string;
  isStopWord(lower: string): boolean;
  /** The form under which inflections of a word are counted as one. */
  stem(lower: string): string;
  /** Stems of the words of a text that are not stop words, single letters or bare numbers, in order. */
  contentStems(text: string): string[];
}

/** What is elided before a vowel: "l'homme" counts as "homme". */
const elisions: Record<string, RegExp> = {
  fr: /^(?:l|d|j|m|t|s|n|c|qu|lorsqu|puisqu|jusqu|quoiqu)'/,
  it: /^(?:l|d|un|c|s|m|t|v|all|dall|dell|nell|sull|coll|quell|quest|bell|sant|com|dov|cos)'/,
};

/**
 * What shows a function word by its form, where no list can have them all: Chinese words that end in the particle of
 * attributes, and short Japanese ones without an ideograph.
 */
const functionForms: Record<string, RegExp> = {
  zh: /^(?:是.*|.+的)$/u,
  ja: /^\p{Script=Hiragana}{1,3}$/u,
};

const lightEndings: Record<string, RegExp> = {
  de: /(?:ern|em|en|er|es|e|s|n)$/,
  es: /(?:es|s|os|as|o|a|e)$/,
  it: /(?:i|e|o|a)$/,
  pt: /(?:es|s|os|as|o|a|e)$/,
  nl: /(?:en|e|s)$/,
  sv: /(?:arna|erna|orna|ar|er|or|en|et|a|e|n|t)$/,
  no: /(?:ene|er|en|et|e)$/,
};

function stemmerFor(language: string): (word: string) => string {
  if (language === 'en') return (word) => porter.stem(word.replace(/'s?$/, ''));
  if (language === 'fr') {
    return (word) => porterFrench.stem(word.replace(elisions.fr as RegExp, ''));
  }
  if (language === 'ar') return (word) => word.replace(/^(?:و|ف|ب|ك|ل)?ال(?=\p{L}{3})/u, '').replace(/\p{M}/gu, '');
  const ending = lightEndings[language];
  // Four letters must remain, as with the usual light stemmers: short words are not touched.
  if (ending === undefined) return (word) => word;
  return (word) => {
    const own = word.replace(elisions[language] ?? /^$/, '');
    return own.length > 5 ? own.replace(ending, '') : own;
  };
}

/** How often a word must occur, a sentence, to be taken for a function word of a language without a list. */
const frequentShare = 0.15;

function frequentWords(texts: readonly string[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const lower of new Set(findWords(text).map((word) => word.lower))) {
      counts.set(lower, (counts.get(lower) ?? 0) + 1);
    }
  }
  const limit = Math.max(3, texts.length * frequentShare);
  return new Set([...counts].filter(([word, count]) => count > limit && word.length <= 5).map(([word]) => word));
}

/**
 * How words of a language are counted. Stems are cached in the returned object. For a language without a list of
 * stop words, short words that stand in many of `texts` are taken for them.
 */
export function createTerms(params: { language?: string | null; texts?: readonly string[] }): Terms {
  const language = (params.language ?? 'en').toLowerCase().slice(0, 2);
  const stopWords = stopWordsFor(language) ?? frequentWords(params.texts ?? []);
  const stemWord = stemmerFor(language);
  const stems = new Map<string, string>();

  function stem(lower: string): string {
    let found = stems.get(lower);
    if (found === undefined) {
      found = stemWord(lower);
      stems.set(lower, found);
    }
    return found;
  }

  function isStopWord(lower: string): boolean {
    if (stopWords.has(lower) || functionForms[language]?.test(lower)) return true;
    const elision = elisions[language];
    return elision !== undefined && stopWords.has(lower.replace(elision, ''));
  }

  function contentStems(text: string): string[] {
    const found: string[] = [];
    for (const { lower } of findWords(text)) {
      if (isContentWord(lower) && !isStopWord(lower)) found.push(stem(lower));
    }
    return found;
  }

  return { language, isStopWord, stem, contentStems };
}

/** Has a letter and is more than one Latin letter: one ideograph is a word, one Latin letter is not. */
export function isContentWord(lower: string): boolean {
  return /\p{L}/u.test(lower) && (lower.length > 1 || unspaced.test(lower));
}
