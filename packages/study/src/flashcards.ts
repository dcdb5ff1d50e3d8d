import { createHash } from 'node:crypto';
import type { StoredFlashcard } from '@studymate/contracts/study';
import { clozeScore, isVague, leastAnswerScore } from './answer-terms.ts';
import { isAside, isGuessable, isHardlySaid, isInLongerName, isVerb } from './blank-rules.ts';
import { findDefinitions, shownTerm } from './definitions.ts';
import { createDistractors } from './distractors.ts';
import type { Embeddings } from './embeddings.ts';
import { clozeBlank } from './flashcard-formats.ts';
import type { NounGuess, Phrase } from './key-phrases.ts';
import { createNounGuess, findPhrases, isBarred, longText, stemsOfPhrase } from './key-phrases.ts';
import { informativeness } from './sentence-weights.ts';
import type { TimedSentence } from './sentences.ts';
import { isOfTheMoment, selfContainment, tidyStatement } from './statement-text.ts';
import { summarise } from './summary.ts';
import type { Terms } from './text-terms.ts';
import { createTerms, findWords } from './text-terms.ts';
import { findYearQuestions } from './year-questions.ts';
import { otherYears } from './years.ts';

const maxCards = 40;
/** Two cards a minute at first, and then two in five: what an hour says again and again is not more with its length. */
const firstMinutes = 5;
const cardsPerMinute = { first: 2, later: 0.4 };
const minClozeWords = 8;
const maxClozeWords = 40;
/** See `selfContainment`: what tells listeners what is done next, or points at something, asks for nothing. */
const leastStanding = 0.45;
/** See `informativeness`: about four recurring terms. */
const leastInformative = 0.5;
type NewCard = Omit<StoredFlashcard, 'id' | 'distractors'>;

/** The same card of the same lecture has the same id, whenever it is made. */
function toCard(card: NewCard): StoredFlashcard {
  const hash = createHash('sha256').update(`${card.type}\n${card.front}\n${card.back}`).digest('hex');
  return { id: hash.slice(0, 16), ...card };
}

function cardBudget(durationSeconds: number): number {
  const minutes = durationSeconds / 60;
  const first = Math.min(minutes, firstMinutes);
  const wanted = first * cardsPerMinute.first + (minutes - first) * cardsPerMinute.later;
  return Math.max(3, Math.min(maxCards, Math.round(wanted)));
}

interface Candidate {
  card: NewCard;
  sentence: number;
  answerKey: string;
  score: number;
}

/**
 * Flashcards of a lecture in the order of their moments: definitions as given, cloze cards that hide a key term, name
 * or number of an informative sentence, and questions where the sentence has a form that makes a safe one. About
 * 30 for an hour, at most 40; one card a sentence and an answer; no card whose answer stands in its front. An English lecture's cards for
 * which it has three wrong answers of the same kind have them for the quiz.
 */
export function makeFlashcards(params: {
  sentences: readonly TimedSentence[];
  embeddings?: Embeddings | undefined;
  language?: string | null | undefined;
}): StoredFlashcard[] {
  const { sentences } = params;
  const last = sentences.at(-1);
  if (last === undefined) return [];
  const texts = sentences.map((sentence) => sentence.text);
  const terms = createTerms({ language: params.language ?? null, texts });
  const nouns = createNounGuess(terms.language);
  const phrases = findPhrases({ sentences: texts, barriers: sentences.map(({ barriers }) => barriers), terms, nouns });
  const quality = sentences.map((sentence) => selfContainment(sentence));
  const budget = cardBudget(last.end);
  const central = new Set(
    summarise({
      sentences: texts,
      embeddings: params.embeddings,
      maxSentences: Math.min(texts.length, budget * 2),
      quality,
      language: params.language,
    }).indexes,
  );
  const candidates = [
    ...definitionCards(sentences, terms, nouns),
    ...(terms.language === 'en' ? questionCards(sentences, quality) : []),
    ...clozeCards({ sentences, phrases, quality, central, terms, nouns }),
  ];
  // Plurals, names and articles are told apart by English rules.
  const distractors =
    terms.language === 'en' ? createDistractors({ phrases, texts, blank: clozeBlank, terms, nouns }) : undefined;
  return chooseCards(candidates, budget).map((chosen) => {
    const card = toCard(chosen);
    // A definition is turned round in the quiz: its term is asked for.
    const [question, answer] = card.type === 'definition' ? [card.back, card.front] : [card.front, card.back];
    const wrong =
      card.type === 'question'
        ? otherYears(answer, question, texts)
        : isTold(card, terms)
          ? undefined
          : distractors?.find({ question, answer });
    return wrong === undefined ? card : { ...card, distractors: wrong };
  });
}

/** A definition that has a word of its term gives the term away to whoever is asked for it. */
function isTold({ type, front, back }: NewCard, terms: Terms): boolean {
  if (type !== 'definition') return false;
  const said = new Set(terms.contentStems(back));
  return terms.contentStems(front).some((stem) => said.has(stem));
}

/** Best first, one a sentence and an answer. */
function chooseCards(candidates: Candidate[], budget: number): NewCard[] {
  const chosen: Candidate[] = [];
  const sentences = new Set<number>();
  const fronts = new Set<string>();
  const answers = new Set<string>();
  for (const candidate of candidates.sort((a, b) => b.score - a.score || a.sentence - b.sentence)) {
    if (chosen.length === budget) break;
    const { card, sentence, answerKey } = candidate;
    if (sentences.has(sentence) || fronts.has(card.front) || answers.has(answerKey)) continue;
    sentences.add(sentence);
    fronts.add(card.front);
    answers.add(answerKey);
    chosen.push(candidate);
  }
  return chosen.sort((a, b) => a.card.start - b.card.start || a.sentence - b.sentence).map(({ card }) => card);
}

function definitionCards(
  sentences: readonly TimedSentence[],
  terms: Terms,
  nouns: ReturnType<typeof createNounGuess>,
): Candidate[] {
  const found = findDefinitions({ sentences: sentences.map((sentence) => sentence.text), terms, nouns });
  return found.flatMap(({ term, definition, sentence, strength }): Candidate[] => {
    const source = sentences[sentence] as TimedSentence;
    if (source.flagged || source.confidence < 0.6 || strength < 0.65 || isUnsure(term, source)) return [];
    const card = { type: 'definition' as const, front: shownTerm(term), back: definition, start: source.start };
    return [{ card, sentence, answerKey: term.toLowerCase(), score: 1 + strength }];
  });
}

/** Some word of the term may be misheard. */
function isUnsure(term: string, source: TimedSentence): boolean {
  const barred = findWords(source.text).filter((word) => isBarred(word, source.barriers));
  const own = new Set(findWords(term).map(({ lower }) => lower));
  return barred.some(({ lower }) => own.has(lower));
}

function questionCards(sentences: readonly TimedSentence[], quality: readonly number[]): Candidate[] {
  return findYearQuestions(sentences, quality).map(({ sentence, front, back, start }) => ({
    card: { type: 'question', front, back, start },
    sentence,
    answerKey: back,
    score: 1.9,
  }));
}

function clozeCards(params: {
  sentences: readonly TimedSentence[];
  phrases: readonly Phrase[];
  quality: readonly number[];
  central: ReadonlySet<number>;
  terms: Terms;
  nouns: NounGuess;
}): Candidate[] {
  const { sentences, phrases, quality, central, terms, nouns } = params;
  const bySentence = new Map<number, Phrase[]>();
  for (const phrase of phrases) {
    for (const sentence of new Set(phrase.sentences))
      bySentence.set(sentence, [...(bySentence.get(sentence) ?? []), phrase]);
  }
  const carried = informativeness(
    sentences.map((sentence) => sentence.text),
    terms,
  );
  const keys = new Set(phrases.map(({ key }) => key));
  const isLong = sentences.length > longText;
  return sentences.flatMap((source, sentence): Candidate[] => {
    const text = tidyStatement(source.text);
    const length = findWords(text).length;
    const stands = quality[sentence] as number;
    const says = carried[sentence] as number;
    if (length < minClozeWords || length > maxClozeWords || stands < leastStanding || says < leastInformative)
      return [];
    if (isOfTheMoment(text)) return [];
    const unsure = findWords(source.text).filter((word) => isBarred(word, source.barriers));
    // One misheard name may stand in a good sentence; with two nobody knows what was said.
    if (unsure.filter(({ lower }) => !terms.isStopWord(lower)).length > 1) return [];
    const ranked = (bySentence.get(sentence) ?? [])
      .map((phrase) => ({ phrase, score: clozeScore(phrase) }))
      .sort((a, b) => b.score - a.score || a.phrase.key.localeCompare(b.phrase.key));
    for (const { phrase, score } of ranked) {
      if (score < leastAnswerScore) break;
      if (isLong && isHardlySaid(phrase)) continue;
      const hidden = hidePhrase(text, phrase, terms);
      if (hidden === null || isVague(hidden.answer, nouns) || isGuessable(hidden.front) || isVerb(hidden)) continue;
      if (isAside(hidden.front, phrase) || isInLongerName({ ...hidden, phrase, keys, terms, nouns })) continue;
      const total = (0.35 + (central.has(sentence) ? 0.3 : 0)) * stands * says + 0.2 * Math.min(1, score / 3);
      const card = { type: 'cloze' as const, front: hidden.front, back: hidden.answer, start: source.start };
      return [{ card, sentence, answerKey: phrase.key, score: total }];
    }
    return [];
  });
}

/** The sentence with the phrase blanked; null when the phrase is not there, or another of its words gives it away. */
function hidePhrase(text: string, phrase: Phrase, terms: Terms): { front: string; answer: string } | null {
  const stems = phrase.key.split(' ');
  const words = findWords(text);
  for (let at = 0; at + stems.length <= words.length; at++) {
    if (!stems.every((stem, offset) => terms.stem(words[at + offset]?.lower ?? '') === stem)) continue;
    const first = words[at];
    const last = words[at + stems.length - 1];
    // A sentence without its first words is hard to read: it needs something to stand on.
    if (first === undefined || last === undefined || at === 0) return null;
    const end = last.index + last.text.replace(/['’]s$/u, '').length;
    const answer = text.slice(first.index, end);
    const front = `${text.slice(0, first.index)}${clozeBlank}${text.slice(end)}`;
    const left = new Set(findWords(front).map(({ lower }) => terms.stem(lower)));
    return stemsOfPhrase(phrase).some((stem) => left.has(stem)) ? null : { front, answer };
  }
  return null;
}
