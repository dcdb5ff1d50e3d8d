import { clozeScore, isVague, leastAnswerScore } from './answer-terms.ts';
import type { NounGuess, Phrase } from './key-phrases.ts';
import { stemsOfPhrase } from './key-phrases.ts';
import { createNamePlaces, isDetermined, type NamePlaces, sharePlace, toPlace } from './name-places.ts';
import type { Terms } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** Wrong answers that a question of the quiz has beside the right one. */
const wanted = 3;

/** A word that stands so often inside of longer phrases is a part of them and no term ("centripetal", "Middle"). */
const mostlyNested = 0.6;
/** Each time that something was a wrong answer before, in terms of the logarithm of how often it is said. */
const usedBefore = 0.8;
const maxCandidates = 10_000;

export interface Distractors {
  /**
   * Wrong answers of the same kind as the right one, from the same lecture, out of what could itself be an answer: terms for
   * a term, and for a name such names as stand in the lecture behind the same words ("in", "by"); of like form (number of
   * words, plural, gerund), so that the form does not give the answer away, and said about as often. Never one that the
   * question says, one that shares a word with the answer, or one that the lecture says is the same. What was a wrong answer
   * before comes later. Deterministic. For English.
   * @param params.question as it is shown; what stands before its blank decides between "a" and "an"
   * @returns three, or undefined where the lecture has no three
   */
  find(params: { answer: string; question: string }): string[] | undefined;
}

/** @param deps.phrases of the lecture, out of which wrong answers are taken; `texts` are its sentences */
export function createDistractors(deps: {
  phrases: readonly Phrase[];
  texts: readonly string[];
  blank: string;
  terms: Terms;
  nouns: NounGuess;
}): Distractors {
  const { blank, terms, nouns, texts } = deps;
  const places = createNamePlaces({ texts, terms, nouns });
  const candidates = mostSaid(withoutNested(deps.phrases).filter((phrase) => isTerm(phrase, nouns)))
    .map((phrase) => ({
      phrase,
      stems: stemsOfPhrase(phrase),
      shape: toShape(phrase.text),
      often: Math.log(phrase.sentences.length),
    }))
    .filter(({ phrase, shape }) => {
      if (!shape.isName) return true;
      const { isAdjective, isBare } = places(phrase);
      // "The Exhibition", said once, is something that everybody in the room knew.
      return !isAdjective && (isBare || phrase.sentences.length > 1);
    });
  const byKey = new Map(deps.phrases.map((phrase) => [phrase.key, phrase]));
  const uses = new Map<string, number>();
  const stemsOf = (text: string): string[] => findWords(text).map(({ lower }) => terms.stem(lower));

  const rank = (answer: string, question: string): Phrase[] => {
    const stems = stemsOf(answer);
    const said = new Set([...stemsOf(question), ...stems]);
    const known = byKey.get(stems.join(' '));
    // The capital of a card says nothing: whether it is a name tells the lecture.
    const shape = { ...toShape(known?.text ?? answer), wordCount: toShape(answer).wordCount };
    const at = question.indexOf(blank);
    const before = at < 0 ? null : question.slice(0, at);
    const article = /(?:^|\s)(?<article>an?)\s+$/iu.exec(before ?? '')?.groups?.article?.toLowerCase();
    const around: NamePlaces =
      before === null ? ((known && places(known).behind) ?? new Set()) : new Set([toPlace(before)]);
    const often = Math.log(known?.sentences.length ?? 1);
    const scored = candidates.flatMap(({ phrase, stems: own, shape: other, often: theirs }) => {
      if (own.some((stem) => said.has(stem))) return [];
      if (other.isName !== shape.isName || other.isPlural !== shape.isPlural || other.isGerund !== shape.isGerund)
        return [];
      if (article !== undefined && startsWithVowel(phrase.text) !== (article === 'an')) return [];
      const distance = Math.abs(other.wordCount - shape.wordCount);
      if (distance > 1) return [];
      if (shape.isName && !sharePlace(around, places(phrase).behind)) return [];
      if (
        before !== null &&
        !(isDetermined(before) ? places(phrase).isDetermined : places(phrase).isBare || other.isPlural)
      )
        return [];
      if (known && areSame(known, phrase, texts)) return [];
      const apart = Math.abs(theirs - often);
      return [{ phrase, score: -distance - apart - usedBefore * (uses.get(phrase.key) ?? 0) }];
    });
    scored.sort((a, b) => b.score - a.score || a.phrase.key.localeCompare(b.phrase.key));
    return scored.map(({ phrase }) => phrase);
  };

  return {
    find({ answer, question }) {
      const chosen: Phrase[] = [];
      const taken = new Set<string>();
      for (const phrase of rank(answer, question)) {
        const stems = stemsOfPhrase(phrase);
        if (stems.some((stem) => taken.has(stem))) continue;
        for (const stem of stems) taken.add(stem);
        chosen.push(phrase);
        if (chosen.length < wanted) continue;
        for (const { key } of chosen) uses.set(key, (uses.get(key) ?? 0) + 1);
        return chosen.map(({ text }) => matchCase(text, answer));
      }
      return undefined;
    },
  };
}

/** What could be asked for: a name, or what the lecture speaks of again ("earliest book", said once, is a scrap). */
function isTerm(phrase: Phrase, nouns: NounGuess): boolean {
  if (!toShape(phrase.text).isName && phrase.sentences.length < 2) return false;
  return clozeScore(phrase) >= leastAnswerScore && !isVague(phrase.text, nouns);
}

/** Of a lecture of many hours those that are said most: each question looks at all of them. */
function mostSaid(phrases: readonly Phrase[]): readonly Phrase[] {
  if (phrases.length <= maxCandidates) return phrases;
  return [...phrases].sort((a, b) => b.sentences.length - a.sentences.length).slice(0, maxCandidates);
}

/** Without single words that are nearly always said as a part of the same longer phrase. */
function withoutNested(phrases: readonly Phrase[]): Phrase[] {
  const longest = new Map<string, number>();
  for (const phrase of phrases) {
    const { wordCount, sentences } = phrase;
    if (wordCount === 1) continue;
    for (const stem of stemsOfPhrase(phrase)) longest.set(stem, Math.max(longest.get(stem) ?? 0, sentences.length));
  }
  return phrases.filter(
    ({ key, wordCount, sentences }) => wordCount > 1 || (longest.get(key) ?? 0) < mostlyNested * sentences.length,
  );
}

const sameness =
  /^\W*(?:(?:also|often|sometimes|is|are|was|were|or|the|an?)\W+)*(?:or|called|known as|termed|i\.\s?e\.?|that is|means|namely)\W+(?:(?:the|an?|simply|just)\W+)*$/iu;
const maxBetween = 40;

/** "Vibration, also called oscillation": both would be right. */
function areSame(one: Phrase, other: Phrase, texts: readonly string[]): boolean {
  const shared = new Set(other.sentences);
  return one.sentences.some((sentence) => {
    if (!shared.has(sentence)) return false;
    const text = (texts[sentence] ?? '').toLowerCase();
    const [a, b] = [one.text.toLowerCase(), other.text.toLowerCase()];
    const [from, to] = [text.indexOf(a), text.indexOf(b)];
    if (from < 0 || to < 0) return false;
    const between = from < to ? text.slice(from + a.length, to) : text.slice(to + b.length, from);
    return between.length <= maxBetween && sameness.test(between);
  });
}

interface Shape {
  isName: boolean;
  isPlural: boolean;
  isGerund: boolean;
  wordCount: number;
}

function toShape(text: string): Shape {
  const words = findWords(text);
  const last = words.at(-1)?.lower ?? '';
  // One capital may only begin a sentence or a card; a name has one in each of its words, or inside.
  const isName = words.length > 0 && words.every(({ text: own }) => /^\p{Lu}/u.test(own));
  return {
    isName,
    // "Paris" and "physics" are none.
    isPlural: !isName && /[^s]s$/u.test(last) && !/(?:us|is|ics|gas|lens|bias|atlas)$/u.test(last),
    // "pulling", but not "string": without the ending a vowel is left.
    isGerund: words.length === 1 && /[aeiouy].*ing$/u.test(last),
    wordCount: words.length,
  };
}

/** As it is spoken: "an hour", "a unit". */
function startsWithVowel(text: string): boolean {
  if (/^(?:hour|hono|honest|heir)/iu.test(text)) return true;
  return /^[aeiou]/iu.test(text) && !/^(?:eu|ewe|one\b|once|uni(?!n|m)|us[aeiu]|ut[ei]|ubiq)/iu.test(text);
}

/** "Movable type" for an answer with a capital that is no name. */
function matchCase(text: string, answer: string): string {
  const [first = ''] = text;
  return /^\p{Lu}/u.test(answer) ? first.toUpperCase() + text.slice(first.length) : text;
}
