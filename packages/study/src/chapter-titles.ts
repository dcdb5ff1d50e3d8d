import type { Barriers, Phrase } from './key-phrases.ts';
import { createNounGuess, findPhrases, stemsOfPhrase, upperFirst } from './key-phrases.ts';
import type { Terms } from './text-terms.ts';
import { createTerms, findWords } from './text-terms.ts';

/** YouTube shows about this many characters of a chapter's title. */
export const maxTitleCharacters = 49;

/** A second phrase that tells less than this share of what the first does makes a title worse, not better. */
const leastSecondShare = 0.3;

interface ScoredPhrase {
  phrase: Phrase;
  score: number;
}

/**
 * Titles for spans of sentences, each from the span's own words: its most telling phrase, joined with a second one
 * that says something else. A phrase tells more when it is frequent inside the span and rare outside (class-based
 * TF-IDF), when it has two or three words, and when it comes early. Titles are unique among the spans.
 * `boundaries` are first sentence indexes, 0 first.
 */
export function titleChapters(params: {
  sentences: readonly string[];
  barriers?: Barriers | undefined;
  boundaries: readonly number[];
  language?: string | null;
}): { title: string; firstSentence: number; lastSentence: number }[] {
  const { sentences, boundaries } = params;
  const terms = createTerms({ language: params.language ?? null, texts: sentences });
  const { barriers } = params;
  const phrases = findPhrases({ sentences, barriers, terms, nouns: createNounGuess(terms.language) });
  const used = new Set<string>();
  return boundaries.map((firstSentence, index) => {
    const lastSentence = (boundaries[index + 1] ?? sentences.length) - 1;
    const all = rankPhrases(phrases, firstSentence, lastSentence, sentences.length);
    // Without a guess at nouns, what is said once is as likely a verb as a theme.
    const repeated = terms.language === 'en' ? all : all.filter(({ phrase }) => phrase.sentences.length > 1);
    const ranked = repeated.length > 0 ? repeated : all;
    const title = uniqueTitle(titleCandidates(ranked, terms, sentences, firstSentence, lastSentence), used, index);
    used.add(title.toLowerCase());
    return { title, firstSentence, lastSentence };
  });
}

function rankPhrases(phrases: readonly Phrase[], first: number, last: number, total: number): ScoredPhrase[] {
  const share = (last - first + 1) / Math.max(1, total);
  const scored: ScoredPhrase[] = [];
  for (const phrase of phrases) {
    const inside = phrase.sentences.filter((sentence) => sentence >= first && sentence <= last);
    if (inside.length === 0) continue;
    const expected = phrase.sentences.length * share;
    const specific = Math.log1p(inside.length / (expected + 0.5 * share));
    const early = 1 - (0.3 * ((inside[0] as number) - first)) / Math.max(1, last - first + 1);
    const lengthFactor = phrase.wordCount === 1 ? 0.75 : phrase.wordCount === 2 ? 1.25 : inside.length > 1 ? 1.3 : 0.9;
    // In a long chapter a phrase that is said once is hardly its theme.
    const once = inside.length === 1 && last - first > 12 ? 0.3 : 1;
    const named = /^\p{Lu}/u.test(phrase.text) ? 1.15 : 1;
    scored.push({ phrase, score: Math.sqrt(inside.length) * specific * early * lengthFactor * named * once });
  }
  return scored.sort((a, b) => b.score - a.score || a.phrase.key.localeCompare(b.phrase.key)).slice(0, 40);
}

function overlaps(a: Phrase, b: Phrase): boolean {
  const stems = new Set(stemsOfPhrase(a));
  return stemsOfPhrase(b).some((stem) => stems.has(stem));
}

/** Titles in order of preference; every one fits the length. */
function* titleCandidates(
  ranked: readonly ScoredPhrase[],
  terms: Terms,
  sentences: readonly string[],
  first: number,
  last: number,
): Generator<string> {
  const conjunction = conjunctions[terms.language];
  for (let a = 0; a < Math.min(5, ranked.length); a++) {
    const main = (ranked[a] as ScoredPhrase).phrase;
    for (let b = 0; b < Math.min(12, ranked.length); b++) {
      const other = (ranked[b] as ScoredPhrase).phrase;
      if ((ranked[b] as ScoredPhrase).score < leastSecondShare * (ranked[a] as ScoredPhrase).score) break;
      if (a === b || overlaps(main, other)) continue;
      const [x, y] = inOrderOfSpeech(main, other, first);
      const joined = conjunction === undefined ? `${x.text}, ${y.text}` : `${x.text} ${conjunction} ${y.text}`;
      if (joined.length <= maxTitleCharacters) yield upperFirst(joined);
    }
    if (main.text.length <= maxTitleCharacters) yield upperFirst(main.text);
  }
  for (let index = first; index <= last; index++) {
    const clause = trimClause(sentences[index] ?? '');
    if (clause !== '') yield clause;
  }
}

const conjunctions: Record<string, string> = {
  en: 'and',
  de: 'und',
  fr: 'et',
  es: 'y',
  it: 'e',
  pt: 'e',
  nl: 'en',
  sv: 'och',
  no: 'og',
};

function inOrderOfSpeech(a: Phrase, b: Phrase, first: number): [Phrase, Phrase] {
  const place = (phrase: Phrase): number => phrase.sentences.find((sentence) => sentence >= first) ?? 0;
  return place(b) < place(a) ? [b, a] : [a, b];
}

/** The beginning of a sentence, cut at a word to the length of a title; '' when it has no word. */
export function trimClause(sentence: string): string {
  const clean = sentence
    .replace(/^(?:(?:and|so(?! far\b)|but|now|okay|ok|well|um|uh|then|also|alright|right)[\s,]+)+/i, '')
    .replace(/\s+/gu, ' ')
    .trim();
  const words = findWords(clean);
  if (words.length === 0) return '';
  let end = 0;
  for (const word of words) {
    if (word.index + word.text.length > maxTitleCharacters) break;
    end = word.index + word.text.length;
  }
  if (end === 0) return upperFirst([...clean].slice(0, maxTitleCharacters).join(''));
  return upperFirst(clean.slice(words[0]?.index ?? 0, end));
}

function uniqueTitle(candidates: Generator<string>, used: ReadonlySet<string>, index: number): string {
  let fallback = '';
  for (const candidate of candidates) {
    if (!used.has(candidate.toLowerCase())) return candidate;
    if (fallback === '') fallback = candidate;
  }
  for (let number = index + 1; ; number++) {
    const numbered = fallback === '' ? `Part ${number}` : `${fallback.slice(0, maxTitleCharacters - 5)} (${number})`;
    if (!used.has(numbered.toLowerCase())) return numbered;
  }
}
