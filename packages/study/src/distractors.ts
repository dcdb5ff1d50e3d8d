import type { Phrase } from './key-phrases.ts';
import type { Terms } from './text-terms.ts';
import { findWords } from './text-terms.ts';

/** Wrong answers that a question of the quiz has beside the right one. */
const wanted = 3;
/** Years are looked for this far around the right one, where the lecture has too few others. */
const yearSteps = [-17, 12, 31, -8, 23];

/** What can stand in for an answer: the lecture's own phrases and terms, and its numbers. */
export interface AnswerPool {
  phrases: readonly Phrase[];
  texts: readonly string[];
}

/**
 * Wrong answers of the same kind as the right one, from the same lecture: names for a name, terms for a term, years for a
 * year; of like form (number of words, plural, case), so that the form does not give the answer away. Never one that the
 * question says, nor one that shares a word with the answer. The likest first; deterministic.
 * @param params.question as it is shown; what stands before its blank decides between "a" and "an"
 * @returns three, or undefined where the lecture has no three
 */
export function findDistractors(params: {
  answer: string;
  question: string;
  blank: string;
  pool: AnswerPool;
  terms: Terms;
}): string[] | undefined {
  const { answer, question, blank, pool, terms } = params;
  const year = /^(?:In )?(?<year>1\d{3}|20\d{2})\.?$/u.exec(answer)?.groups?.year;
  if (year !== undefined) return otherYears(year, answer, question, pool.texts);
  const stemsOf = (text: string): string[] => findWords(text).map(({ lower }) => terms.stem(lower));
  const said = new Set(stemsOf(question));
  const own = new Set(stemsOf(answer));
  // As the lecture writes it: the capital of a card says nothing.
  const key = stemsOf(answer).join(' ');
  const shape = toShape(pool.phrases.find((phrase) => phrase.key === key)?.text ?? answer);
  const before = question.includes(blank) ? question.slice(0, question.indexOf(blank)) : '';
  const article = /(?:^|\s)(?<article>an?)\s+$/iu.exec(before)?.groups?.article?.toLowerCase();
  const candidates = pool.phrases.flatMap((phrase) => {
    const stems = phrase.key.split(' ');
    if (stems.some((stem) => own.has(stem) || said.has(stem))) return [];
    const other = toShape(phrase.text);
    if (other.isName !== shape.isName || other.isPlural !== shape.isPlural) return [];
    if (article !== undefined && startsWithVowel(phrase.text) !== (article === 'an')) return [];
    const distance = Math.abs(other.wordCount - shape.wordCount);
    if (distance > 1) return [];
    // What is spoken of again is a likelier answer than what was said once and may be no term at all.
    const weight = Math.log(phrase.sentences.length) - distance;
    return [{ phrase, stems, weight }];
  });
  candidates.sort((a, b) => b.weight - a.weight || a.phrase.key.localeCompare(b.phrase.key));
  const chosen: string[] = [];
  const used = new Set<string>();
  for (const { phrase, stems } of candidates) {
    if (stems.some((stem) => used.has(stem))) continue;
    for (const stem of stems) used.add(stem);
    chosen.push(matchCase(phrase.text, answer));
    if (chosen.length === wanted) return chosen;
  }
  return undefined;
}

interface Shape {
  isName: boolean;
  isPlural: boolean;
  wordCount: number;
}

function toShape(text: string): Shape {
  const words = findWords(text);
  const last = words.at(-1)?.lower ?? '';
  return {
    // One capital may only begin a sentence or a card; a name has one in each of its words, or inside.
    isName: words.length > 0 && words.every((word) => /^\p{Lu}/u.test(word.text)),
    isPlural: /[^s]s$/u.test(last),
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
  const said = new Set(texts.flatMap((text) => text.match(/\b(?:1\d{3}|20\d{2})\b/gu) ?? []));
  for (const other of question.match(/\d{4}/gu) ?? []) said.delete(other);
  said.delete(year);
  const near = [...said].sort((a, b) => Math.abs(+a - +year) - Math.abs(+b - +year) || +a - +b);
  const made = yearSteps.map((step) => String(+year + step)).filter((other) => !said.has(other));
  return [...near, ...made].slice(0, wanted).map((other) => answer.replace(year, other));
}
