import type { Phrase } from './key-phrases.ts';
import type { Terms } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** Wrong answers that a question of the quiz has beside the right one. */
const wanted = 3;
/** Years are looked for this far around the right one, where the lecture has too few others. */
const yearSteps = [-17, 12, 31, -8, 23];

/** A word that stands so often inside of one longer phrase is a part of that and no term ("centripetal"). */
const mostlyNested = 0.6;
/** Each time that something was a wrong answer before, in terms of the logarithm of how often it is said. */
const usedBefore = 0.8;
const maxCandidates = 10_000;
/** What is said once may be no term at all. */
const saidOnce = 0.7;

export interface Distractors {
  /**
   * Wrong answers of the same kind as the right one, from the same lecture: names for a name, terms for a term, years for a
   * year; of like form (number of words, plural, case), so that the form does not give the answer away, and said about as
   * often. Never one that the question says, nor one that shares a word with the answer. What was a wrong answer before comes
   * later. Deterministic.
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
}): Distractors {
  const { blank, terms } = deps;
  const candidates = mostSaid(withoutNested(deps.phrases)).map((phrase) => ({
    phrase,
    stems: phrase.key.split(' '),
    shape: toShape(phrase.text),
    often: Math.log(phrase.sentences.length),
  }));
  const byKey = new Map(deps.phrases.map((phrase) => [phrase.key, phrase]));
  const uses = new Map<string, number>();
  const stemsOf = (text: string): string[] => findWords(text).map(({ lower }) => terms.stem(lower));

  const rank = (answer: string, question: string): Phrase[] => {
    const stems = stemsOf(answer);
    const said = new Set([...stemsOf(question), ...stems]);
    const known = byKey.get(stems.join(' '));
    // The capital of a card says nothing: whether it is a name tells the lecture.
    const shape = { ...toShape(answer), isName: toShape(known?.text ?? answer).isName };
    const before = question.includes(blank) ? question.slice(0, question.indexOf(blank)) : '';
    const article = /(?:^|\s)(?<article>an?)\s+$/iu.exec(before)?.groups?.article?.toLowerCase();
    const often = Math.log(known?.sentences.length ?? 1);
    const scored = candidates.flatMap(({ phrase, stems: own, shape: other, often: theirs }) => {
      if (own.some((stem) => said.has(stem))) return [];
      if (other.isName !== shape.isName || other.isPlural !== shape.isPlural || other.isGerund !== shape.isGerund)
        return [];
      if (article !== undefined && startsWithVowel(phrase.text) !== (article === 'an')) return [];
      const distance = Math.abs(other.wordCount - shape.wordCount);
      if (distance > 1) return [];
      const apart = Math.abs(theirs - often);
      const once = phrase.sentences.length === 1 ? saidOnce : 0;
      return [{ phrase, score: -distance - apart - once - usedBefore * (uses.get(phrase.key) ?? 0) }];
    });
    scored.sort((a, b) => b.score - a.score || a.phrase.key.localeCompare(b.phrase.key));
    return scored.map(({ phrase }) => phrase);
  };

  return {
    find({ answer, question }) {
      const year = /^(?:In )?(?<year>1\d{3}|20\d{2})\.?$/u.exec(answer)?.groups?.year;
      if (year !== undefined) return otherYears(year, answer, question, deps.texts);
      const chosen: Phrase[] = [];
      const taken = new Set<string>();
      for (const phrase of rank(answer, question)) {
        const stems = phrase.key.split(' ');
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

/** Of a lecture of many hours those that are said most: each question looks at all of them. */
function mostSaid(phrases: readonly Phrase[]): readonly Phrase[] {
  if (phrases.length <= maxCandidates) return phrases;
  return [...phrases].sort((a, b) => b.sentences.length - a.sentences.length).slice(0, maxCandidates);
}

/** Without single words that are nearly always said as a part of the same longer phrase. */
function withoutNested(phrases: readonly Phrase[]): Phrase[] {
  const longest = new Map<string, number>();
  for (const { key, wordCount, sentences } of phrases) {
    if (wordCount === 1) continue;
    for (const stem of key.split(' ')) longest.set(stem, Math.max(longest.get(stem) ?? 0, sentences.length));
  }
  return phrases.filter(
    ({ key, wordCount, sentences }) => wordCount > 1 || (longest.get(key) ?? 0) < mostlyNested * sentences.length,
  );
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
  return {
    // One capital may only begin a sentence or a card; a name has one in each of its words, or inside.
    isName: words.length > 0 && words.every((word) => /^\p{Lu}/u.test(word.text)),
    isPlural: /[^s]s$/u.test(last),
    // "pulling", but not "string": without the ending a vowel is left.
    isGerund: words.length === 1 && /[aeiouy].*ing$/u.test(last),
    wordCount: words.length,
  };
}

function startsWithVowel(text: string): boolean {
  return /^[aeiou]/iu.test(text);
}

/** "Movable type" for an answer with a capital that is no name. */
function matchCase(text: string, answer: string): string {
  const [first = ''] = text;
  return /^\p{Lu}/u.test(answer) ? first.toUpperCase() + text.slice(first.length) : text;
}

function otherYears(year: string, answer: string, question: string, texts: readonly string[]): string[] {
  const yearsOf = (text: string): string[] => text.match(/\b(?:1\d{3}|20\d{2})\b/gu) ?? [];
  const excluded = new Set([year, ...yearsOf(question)]);
  const said = new Set(texts.flatMap(yearsOf).filter((other) => !excluded.has(other)));
  const near = [...said].sort((a, b) => Math.abs(+a - +year) - Math.abs(+b - +year) || +a - +b);
  const made = yearSteps
    .map((step) => String(+year + step))
    .filter((other) => !said.has(other) && !excluded.has(other));
  return [...near, ...made].slice(0, wanted).map((other) => answer.replace(year, other));
}
