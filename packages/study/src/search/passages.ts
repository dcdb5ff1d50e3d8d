import type { TimedSentence } from '../sentences.ts';

/** What search finds and shows: a few sentences that follow each other. Times are seconds of the recording. */
export interface Passage {
  start: number;
  end: number;
  text: string;
  /** Place of its first sentence among the lecture's sentences, and how many it has. */
  firstSentence: number;
  sentenceCount: number;
}

/** Long enough to hold a thought, short enough to listen to: two to five sentences, 20 to 60 s where speech allows it. */
const leastSeconds = 20;
const mostSeconds = 60;
const leastSentences = 2;
const mostSentences = 5;
/** A pause this long ends a passage that is long enough. */
const pauseSeconds = 1.2;
/** A rest at the end of a chapter that is shorter than this joins the passage before it. */
const restSeconds = 8;
const mostJoinedSeconds = 75;
/** Rows of an index are counted with 16 bits. */
export const maxPassages = 60_000;

/**
 * Cuts a lecture's sentences into passages that follow each other without gaps. None runs over a chapter's start.
 * @param chapterStarts seconds, in any order; empty where chapters are not known
 */
export function cutPassages(sentences: readonly TimedSentence[], chapterStarts: readonly number[] = []): Passage[] {
  const borders = new Set(chapterStarts);
  // Only a text of several hundred thousand sentences needs more than usual in one passage.
  const least = Math.max(leastSentences, Math.ceil(sentences.length / maxPassages));
  const passages: Passage[] = [];
  let first = 0;
  let chapterFirst = 0;
  const close = (end: number): void => {
    const own = sentences.slice(first, end);
    const last = passages.at(-1);
    const start = (own[0] as TimedSentence).start;
    const until = endOf(own);
    const isRest = own.length < leastSentences && until - start < restSeconds;
    const joins = last !== undefined && last.firstSentence >= chapterFirst && until - last.start <= mostJoinedSeconds;
    if (isRest && joins) {
      last.text += ` ${textOf(own)}`;
      last.end = Math.max(last.end, until);
      last.sentenceCount += own.length;
    } else {
      passages.push({ start, end: until, text: textOf(own), firstSentence: first, sentenceCount: own.length });
    }
    first = end;
  };
  for (let index = 1; index < sentences.length; index++) {
    const next = sentences[index] as TimedSentence;
    const count = index - first;
    const seconds = next.start - (sentences[first] as TimedSentence).start;
    const isFull = seconds >= leastSeconds && (count >= mostSentences - 1 || next.pauseBefore >= pauseSeconds);
    const wouldBeLong = next.end - (sentences[first] as TimedSentence).start > mostSeconds;
    const isBorder = borders.has(next.start);
    if (isBorder || (count >= least && (isFull || wouldBeLong || count >= mostSentences))) close(index);
    if (isBorder) chapterFirst = index;
  }
  if (first < sentences.length) close(sentences.length);
  return passages;
}

/**
 * The passages with the text of other sentences, those of the same recording after a person has corrected it. Each has the
 * sentences whose middle lies in it; one of which nothing is left has an empty text.
 */
export function withTextOf(passages: readonly Passage[], sentences: readonly TimedSentence[]): Passage[] {
  const own: TimedSentence[][] = passages.map(() => []);
  let row = 0;
  for (const sentence of sentences) {
    const middle = (sentence.start + sentence.end) / 2;
    while (row + 1 < passages.length && (passages[row + 1] as Passage).start <= middle) row++;
    own[row]?.push(sentence);
  }
  return passages.map((passage, i) => ({ ...passage, text: textOf(own[i] ?? []) }));
}

function textOf(sentences: readonly TimedSentence[]): string {
  return sentences.map(({ text }) => text).join(' ');
}

function endOf(sentences: readonly TimedSentence[]): number {
  return sentences.reduce((latest, { end }) => Math.max(latest, end), 0);
}
