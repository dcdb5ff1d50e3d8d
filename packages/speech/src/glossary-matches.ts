import { isUnspacedLanguage } from './languages.ts';
import { createSoundCosts, findSoundMatches, type SoundCosts, toSounds, toSoundText } from './sounds-alike.ts';
import type { TokenWord } from './whisper-tokens.ts';

/** A glossary, ready to be looked for. */
export interface Glossary {
  terms: readonly { text: string; sounds: string; plain: string }[];
  costs: SoundCosts;
}

/** Tokens of a text that may be a misspelt term, and the text that would stand there instead. */
export interface GlossaryMatch {
  firstToken: number;
  tokenCount: number;
  text: string;
  /** How unlike they sound, see {@link findSoundMatches}. */
  distance: number;
  /** That they sound alike says little: the term is short, or another case of what is written ("it" and "IT"). */
  isSlight: boolean;
}

/** Terms of no more sounds than this sound like many words. */
const fewSounds = 3;
/**
 * Farther than this nothing was ever a term: of 36 misspelt terms of made lectures 33 are nearer. Below it two or three
 * places of a window of 30 s are found with 180 terms that are never said.
 */
const maxDistance = 0.25;
/** Whose plurals are made by an s. */
const pluralsInS = new Set(['en', 'fr', 'es', 'pt', 'ca', 'gl', 'nl']);
const sentenceEnd = /[.!?…。！？]["'”’)\]]*$/u;

export function createGlossary(terms: readonly string[]): Glossary {
  const known = terms.map((text) => ({
    text,
    sounds: text.split(/\s+/u).map(toSounds).join(''),
    plain: toPlain(text),
  }));
  return { terms: known.filter(({ sounds }) => sounds !== ''), costs: createSoundCosts() };
}

/**
 * Where a text may have misspelt a term, in its order. Where a term stands as it should nothing is found.
 * @param words of {@link WhisperTokens.splitIntoWords}
 */
export function findGlossaryMatches(
  glossary: Glossary,
  words: readonly TokenWord[],
  language: string | null,
): GlossaryMatch[] {
  const text = toSoundText(
    words.map((word) => word.text),
    glossary.costs,
  );
  const plain = words.map((word) => toPlain(word.text));
  const found: GlossaryMatch[] = [];
  const isRight = new Uint8Array(words.length);
  const joiner = isUnspacedLanguage(language) ? '' : ' ';
  const near = glossary.terms.map((term) => ({
    term,
    matches: findSoundMatches(text, term.sounds, glossary.costs, maxDistance),
  }));
  for (const { term, matches } of near) {
    for (const { firstWord, wordCount } of matches) {
      const span = words.slice(firstWord, firstWord + wordCount);
      if (plain.slice(firstWord, firstWord + wordCount).join(joiner) !== term.plain) continue;
      const { core } = toParts(span);
      if (core !== toSpelling(term.text, core, isSentenceStart(words, firstWord))) continue;
      isRight.fill(1, firstWord, firstWord + wordCount);
    }
  }
  for (const { term, matches } of near) {
    for (const { firstWord, wordCount, distance } of matches) {
      const end = firstWord + wordCount;
      if (isRight.subarray(firstWord, end).includes(1)) continue;
      const span = words.slice(firstWord, end);
      const { before, core, after } = toParts(span);
      const last = span.at(-1) as TokenWord;
      const firstToken = (span[0] as TokenWord).firstToken;
      const place = { firstToken, tokenCount: last.firstToken + last.tokenCount - firstToken, distance };
      const spelling = toSpelling(term.text, core, isSentenceStart(words, firstWord));
      const offer = (text: string) => {
        const isSlight = term.sounds.length <= fewSounds || text.toLowerCase() === core.toLowerCase();
        found.push({ ...place, text: before + text + after, isSlight });
      };
      offer(spelling);
      const mayBePlural = pluralsInS.has(language ?? '') && /s$/iu.test(core) && !/[s\d]$/iu.test(spelling);
      if (mayBePlural) offer(`${spelling}s`);
    }
  }
  return found.sort((a, b) => a.firstToken - b.firstToken || a.distance - b.distance);
}

/** What stands around the words of a span stays: a space, brackets and quotes before, signs and a possessive after. */
function toParts(span: readonly TokenWord[]): { before: string; core: string; after: string } {
  const whole = span.map((word) => word.text).join('');
  const before = /^[\s\p{P}\p{S}]*/u.exec(whole)?.[0] ?? '';
  const rest = whole.slice(before.length);
  const after = /(?:['’]s)?[\p{P}\p{S}\s]*$/u.exec(rest)?.[0] ?? '';
  return { before, core: rest.slice(0, rest.length - after.length), after };
}

/** A term that begins a sentence has the capital that the text has there. */
function toSpelling(term: string, core: string, atStart: boolean): string {
  const [first = ''] = term;
  const [written = ''] = core;
  const isCapital = written !== written.toLowerCase();
  return atStart && isCapital ? first.toUpperCase() + term.slice(first.length) : term;
}

function isSentenceStart(words: readonly TokenWord[], index: number): boolean {
  return index === 0 || sentenceEnd.test((words[index - 1] as TokenWord).text);
}

function toPlain(text: string): string {
  return text
    .toLowerCase()
    .replace(/^[\s\p{P}\p{S}]+|(?:['’]s)?[\s\p{P}\p{S}]+$|['’]s$/gu, '')
    .replace(/\s+/gu, ' ');
}
