import type { NounGuess, Phrase } from './key-phrases.ts';
import type { Terms, TextWord } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** Behind what kinds of words a name stands: what stands behind the same is read as the same kind of thing. */
export type NamePlaces = ReadonlySet<string>;

export interface NameUse {
  behind: NamePlaces;
  /** Said with an article or the like before it, and without one; both where it is said in both ways. */
  isDetermined: boolean;
  isBare: boolean;
  /** Mostly before a noun: "Gothic letter", "Roman character". */
  isAdjective: boolean;
}

const wherePattern = /(?:^|\s)(?:in|at|near|from|to|towards|into|around|outside|throughout)\s+$/iu;
const wordPattern = /(?:^|\s)(?<word>by|of|with|for|against|on|called|named|the|an?)\s+$/iu;
/** Nothing before it: the subject of the sentence, or of a clause. */
const subjectPattern = /(?:^|[.;:—–]|,? (?:that|when|because|but|while|as|where|if),?)\W*$/iu;

/** @param text what stands before the name; '' at the beginning of a sentence */
export function toPlace(text: string): string {
  const before = toNear(text);
  if (wherePattern.test(before)) return 'where';
  const word = wordPattern.exec(before)?.groups?.word?.toLowerCase();
  if (word !== undefined) return word === 'an' ? 'a' : word;
  return subjectPattern.test(before) ? 'subject' : 'other';
}

/** Whether two names can stand in the same place. What stands nowhere in particular fits nowhere. */
export function sharePlace(one: NamePlaces, other: NamePlaces): boolean {
  return [...one].some((place) => place !== 'other' && other.has(place));
}

/** An adjective may stand between. */
const determinerPattern =
  /(?:^|\s)(?:the|an?|this|that|these|those|my|your|our|his|her|its|their|no|each|every|some|any)(?:\s+[\p{L}-]+)?\s+$/iu;

/** Whether what follows has an article or the like: "the _____" wants what the lecture says so, too. */
export function isDetermined(before: string): boolean {
  return determinerPattern.test(toNear(before));
}

/** No more is looked at, so that a text of blanks costs no more than another. */
const nearCharacters = 60;
function toNear(before: string): string {
  return before.slice(-nearCharacters);
}

const listJoint = /^(?:, | and | or |, and |, or )$/u;
const mostly = 0.5;

/** How the lecture uses a name; looked up once a name. A name in a list stands behind what the list stands behind. */
export function createNamePlaces(deps: {
  texts: readonly string[];
  terms: Terms;
  nouns: NounGuess;
}): (phrase: Phrase) => NameUse {
  const { texts, terms, nouns } = deps;
  const wordsOf = new Map<number, TextWord[]>();
  const uses = new Map<string, NameUse>();

  const toWords = (sentence: number): TextWord[] => {
    const found = wordsOf.get(sentence) ?? findWords(texts[sentence] ?? '');
    wordsOf.set(sentence, found);
    return found;
  };

  /** Where the list of names begins in which the word stands; its own place when there is none. */
  const toListStart = (words: readonly TextWord[], at: number, text: string): number => {
    let first = at;
    while (first > 0) {
      const [before, here] = [words[first - 1], words[first]] as [TextWord, TextWord];
      const isJoint = listJoint.test(text.slice(before.index + before.text.length, here.index));
      const word = isJoint ? first - 1 : /^(?:and|or)$/u.test(before.lower) ? first - 2 : -1;
      if (word < 0 || !/^\p{Lu}/u.test(words[word]?.text ?? '')) break;
      first = word;
      // The whole of a name of several words.
      while (first > 0 && isJoined(words, first - 1, text)) first--;
    }
    return first;
  };

  const look = (phrase: Phrase): NameUse => {
    const stems = phrase.key.split(' ');
    const behind = new Set<string>();
    let [count, beforeNoun, determined] = [0, 0, 0];
    for (const sentence of new Set(phrase.sentences)) {
      const text = texts[sentence] ?? '';
      const words = toWords(sentence);
      for (let at = 0; at + stems.length <= words.length; at++) {
        if (!stems.every((stem, i) => terms.stem(words[at + i]?.lower ?? '') === stem)) continue;
        count++;
        const last = words[at + stems.length - 1] as TextWord;
        const next = words[at + stems.length];
        const isNext = next !== undefined && text.slice(last.index + last.text.length, next.index) === ' ';
        if (isNext && !terms.isStopWord(next.lower) && nouns.isNoun(next.lower)) beforeNoun++;
        if (isDetermined(text.slice(0, words[at]?.index))) determined++;
        behind.add(toPlace(text.slice(0, words[toListStart(words, at, text)]?.index)));
      }
    }
    return {
      ...{ behind, isAdjective: count > 0 && beforeNoun > mostly * count },
      ...{ isDetermined: determined > 0, isBare: determined < count },
    };
  };

  return (phrase) => {
    const found = uses.get(phrase.key) ?? look(phrase);
    uses.set(phrase.key, found);
    return found;
  };
}

/** Two words with capitals and nothing but a space between them. */
function isJoined(words: readonly TextWord[], at: number, text: string): boolean {
  const [one, next] = [words[at], words[at + 1]];
  if (one === undefined || next === undefined) return false;
  return /^\p{Lu}/u.test(one.text) && text.slice(one.index + one.text.length, next.index) === ' ';
}
