import { englishAdjectives, englishAdverbs, englishNounsByException, englishVerbs } from './english-lexicon.ts';
import { createNounUse } from './noun-use.ts';
import type { TextSpan } from './sentences.ts';
import type { Terms, TextWord } from './text-terms.ts';
import { findWords, isContentWord } from './text-terms.ts';

/** A run of 1 to 3 content words that could be the name of something, in English also with "of" inside. */
export interface Phrase {
  /** Stems joined by spaces, "of" among them: inflections of a phrase are one phrase. */
  key: string;
  /** As written at its first or most frequent occurrence. */
  text: string;
  /** Without "of". */
  wordCount: number;
  /** Sentences in which it occurs, ascending, one entry an occurrence. */
  sentences: number[];
}

export interface NounGuess {
  /** May stand inside a phrase (noun, adjective, participle). */
  isNominal(lower: string): boolean;
  /** May be the last word of a phrase (noun). */
  isNoun(lower: string): boolean;
}

/**
 * Which English words can be part of a name, by a word list and endings. A heuristic: it knows the most frequent
 * part of speech of a word, not the one it has in the sentence. Other languages: every content word may.
 */
export function createNounGuess(language: string): NounGuess {
  if (language !== 'en') return { isNominal: () => true, isNoun: () => true };
  const verbs = new Set(englishVerbs.split(' '));
  const adverbs = new Set(englishAdverbs.split(' '));
  const adjectives = new Set(englishAdjectives.split(' '));
  const exceptions = new Set(englishNounsByException.split(' '));
  const isAdverb = (word: string): boolean => adverbs.has(word) || (/ly$/.test(word) && !exceptions.has(word));
  return {
    isNominal: (word) => !verbs.has(word) && !isAdverb(word),
    isNoun: (word) =>
      !verbs.has(word) &&
      !isAdverb(word) &&
      !adjectives.has(word) &&
      (exceptions.has(word) || !/(?:ed|ous|ful|ive|able|ible|less|ish|ical)$/.test(word)),
  };
}

const maxPhraseWords = 3;
const linkingWord = 'of';

/** The stems of a phrase's content words. */
export function stemsOfPhrase({ key }: Pick<Phrase, 'key'>): string[] {
  return key.split(' ').filter((stem) => stem !== linkingWord);
}

/** Signs of a formula ("v1", "m2", "phi") name nothing outside of it; "V1" and "G7" inside of a sentence may. */
const sign = /^\p{Ll}\d{1,2}$/u;
const greekLetter =
  /^(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega)$/;

/** Numbers as words name nothing by themselves ("fourteen sixty-two"); "forty-two-line" may. */
const numberWords =
  /^(?:(?:twen|thir|for|fif|six|seven|eigh|nine)ty|(?:thir|four|fif|six|seven|eigh|nine)teen|eleven|twelve|one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|billion)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?$/;

/** For each sentence what no phrase may run over; see `TimedSentence`. */
export type Barriers = readonly (readonly TextSpan[] | undefined)[];

/** A word that a barrier covers. */
export function isBarred(word: TextWord, barriers: readonly TextSpan[] | undefined): boolean {
  return barriers?.some(({ from, to }) => from < word.index + word.text.length && to > word.index) === true;
}

function opensBehindBarrier(word: TextWord, barriers: readonly TextSpan[] | undefined): boolean {
  return barriers?.some(({ from, to }) => from === to && from <= word.index && word.index - from <= 1) === true;
}

/** Words that stand next to each other without punctuation between them, as runs of possible name words. */
function nominalRuns(
  sentence: string,
  barriers: readonly TextSpan[] | undefined,
  terms: Terms,
  isNominal: (lower: string, isName: boolean) => boolean,
): TextWord[][] {
  const runs: TextWord[][] = [];
  let run: TextWord[] = [];
  let end = -1;
  for (const word of findWords(sentence)) {
    const gap = end < 0 ? '' : sentence.slice(end, word.index);
    if (run.length > 0 && (!/^[\s]*$/u.test(gap) || opensBehindBarrier(word, barriers))) {
      runs.push(run);
      run = [];
    }
    end = word.index + word.text.length;
    const nominal = isContentWord(word.lower) && !terms.isStopWord(word.lower) && !numberWords.test(word.lower);
    const isName = /^\p{Lu}/u.test(word.text) && word.index > 0;
    const isSign = sign.test(isName ? word.text : word.lower);
    const fits = nominal && !isSign && !vagueModifiers.has(word.lower) && isNominal(word.lower, isName);
    if (fits && !isBarred(word, barriers)) {
      run.push(word);
    } else if (run.length > 0) {
      runs.push(run);
      run = [];
    }
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** Of more sentences than these, what is said but twice is chance: "cost of assignments" is no name, and no term. */
export const longText = 150;

/** All candidate phrases of the sentences, each occurrence counted, in order of first occurrence. */
export function findPhrases(params: {
  sentences: readonly string[];
  barriers?: Barriers | undefined;
  terms: Terms;
  nouns: NounGuess;
}): Phrase[] {
  const { sentences, terms, nouns } = params;
  const isEnglish = terms.language === 'en';
  const isUsed = isEnglish ? createNounUse(params) : () => true;
  const isNominal = (lower: string, isName: boolean): boolean => nouns.isNominal(lower) && (isName || isUsed(lower));
  const phrases = new Map<string, Phrase>();
  const forms = new Map<string, Map<string, number>>();
  sentences.forEach((sentence, index) => {
    const barriers = params.barriers?.[index];
    const isOpening = ({ index: at }: TextWord): boolean => !/[\p{L}\p{N}]/u.test(sentence.slice(0, at));
    const endsName = (last: TextWord, isLone: boolean): boolean => {
      const isName = last.index > 0 && /^\p{Lu}/u.test(last.text) && !opensBehindBarrier(last, barriers);
      if ((!isName && !nouns.isNoun(last.lower)) || (last.lower.length < 3 && /^[a-z]+$/.test(last.lower)))
        return false;
      return !isLone || isName || !(isGenericNoun(last.lower) || greekLetter.test(last.lower));
    };
    const add = (words: readonly TextWord[], key: string): void => {
      const [first, last] = [words[0] as TextWord, words.at(-1) as TextWord];
      // The capital that only begins a sentence is no part of the name.
      const atStart = isOpening(first) || opensBehindBarrier(first, barriers);
      const text = sentence.slice(first.index, last.index + last.text.length);
      const shown = atStart ? lowerFirst(text) : text;
      const form = forms.get(key) ?? new Map<string, number>();
      form.set(shown, (form.get(shown) ?? 0) + (atStart ? 0.5 : 1));
      forms.set(key, form);
      const phrase = phrases.get(key) ?? { key, text: shown, wordCount: words.length, sentences: [] };
      phrase.sentences.push(index);
      phrases.set(key, phrase);
    };
    const keyOf = (words: readonly TextWord[]): string => words.map(({ lower }) => terms.stem(lower)).join(' ');
    const runs = nominalRuns(sentence, barriers, terms, isNominal);
    runs.forEach((run, at) => {
      for (let from = 0; from < run.length; from++) {
        for (let to = from + 1; to <= Math.min(run.length, from + maxPhraseWords); to++) {
          if (!endsName(run[to - 1] as TextWord, to - from === 1)) continue;
          const words = run.slice(from, to);
          add(words, keyOf(words));
        }
      }
      const next = runs[at + 1];
      const head = run.at(-1) as TextWord;
      if (!isEnglish || next === undefined || !endsName(head, true)) return;
      if (sentence.slice(head.index + head.text.length, next[0]?.index) !== ` ${linkingWord} `) return;
      for (let to = 1; to < Math.min(next.length + 1, maxPhraseWords); to++) {
        const behind = next.slice(0, to);
        if (!endsName(behind.at(-1) as TextWord, false)) continue;
        add([head, ...behind], `${keyOf([head])} ${linkingWord} ${keyOf(behind)}`);
      }
    });
  });
  const leastLinked = sentences.length > longText ? 3 : 2;
  for (const { key, sentences: own } of [...phrases.values()]) {
    if (key.includes(` ${linkingWord} `) && own.length < leastLinked) phrases.delete(key);
  }
  for (const phrase of phrases.values()) {
    let best = 0;
    for (const [text, count] of forms.get(phrase.key) ?? []) {
      if (count > best) {
        best = count;
        phrase.text = text;
      }
    }
    phrase.text = phrase.text.replace(/['’]s$/u, '');
  }
  return dropNested([...phrases.values()]);
}

/** Modifiers that make a phrase longer and no clearer. */
const vagueModifiers = new Set(
  (
    'aforesaid exact different various main important big small whole full entire immediate present early late recent ' +
    'huge interesting nice actual usual obvious simple easy hard difficult important happy sorry wrong bad'
  ).split(' '),
);

/** Nouns that every lecture has and that name nothing when they stand alone. */
const genericNouns: ReadonlySet<string> = new Set(
  (
    'idea detail end line case side part number example question answer deal change situation process problem fact ' +
    'reason class course bit couple matter order result start stop rest top bottom piece pieces item aspect step type ' +
    'form aha wow chuckles laughter applause slam minute minutes hour hours day days week month moment today tomorrow ' +
    'lecture slide page chapter table figure board picture video kid folks hand head name note talk look try run ' +
    'move work help need job story difference sir amount set list plan value term bunch lot kind sort sense way ' +
    'thing stuff guy people person place point middle direction second year half third ' +
    'quarter percent degree meter metre centimeter centimetre kilogram gram dollar blackboard trouble chance ton love care'
  ).split(' '),
);

export function isGenericNoun(lower: string): boolean {
  return genericNouns.has(lower) || genericNouns.has(lower.replace(/s$/, ''));
}

/** From this share of what is said of it on, a part is only a part of the longer phrase. */
const nestedShare = 0.7;

/** "Roman" goes when it hardly stands without "character" behind it: the longer phrase says all of it. */
function dropNested(phrases: readonly Phrase[]): Phrase[] {
  const nested = new Set<string>();
  const counts = new Map(phrases.map((phrase) => [phrase.key, phrase.sentences.length]));
  for (const { key, sentences } of phrases) {
    const stems = key.split(' ');
    for (let from = 0; from < stems.length; from++) {
      for (let to = from + 1; to <= stems.length; to++) {
        const part = stems.slice(from, to).join(' ');
        const count = counts.get(part);
        if (to - from < stems.length && count !== undefined && sentences.length >= nestedShare * count)
          nested.add(part);
      }
    }
  }
  return phrases.filter((phrase) => !nested.has(phrase.key));
}

/** "Printing press" → "printing press", but "DNA" and "McLuhan" stay. */
export function lowerFirst(text: string): string {
  return /^\p{Lu}(?:\p{Ll}|\s|$)/u.test(text) && !/^\S*\p{Lu}\S*\p{Lu}/u.test(text)
    ? text.charAt(0).toLowerCase() + text.slice(1)
    : text;
}

export function upperFirst(text: string): string {
  const first = text.codePointAt(0);
  if (first === undefined) return text;
  const letter = String.fromCodePoint(first);
  return letter.toUpperCase() + text.slice(letter.length);
}
