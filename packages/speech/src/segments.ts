import type { Segment, Word } from '@studymate/contracts/transcript';
import { confidenceLimit, findFlags, type WindowSigns } from './segment-flags.ts';

/** A word on its way into a segment, with times in the recording. */
export interface PlacedWord extends Word {
  /** What stands between it and the word before ('' in languages without spaces). */
  gap: string;
  /** What the model gives it, before it is put right by what proved true. */
  rawProbability: number;
  /** Which window it comes from. */
  windowIndex: number;
  /** Nobody speaks in its time. */
  unvoiced: boolean;
}

const maxWords = 30;
const maxSeconds = 12;
/** A silence that ends a segment even without a full stop. */
const longPauseSeconds = 1;
/** Shorter sentences are joined to the next one when it follows closely, or captions would flicker ("Yes. So…"). */
const minSeconds = 1;
const sentenceEnd = /[.!?…。！？｡؟।۔]["'”’»)\]}」』]*$/;
/** "Dr." ends no sentence. */
const abbreviation = /^(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|cf|fig|no|vol|jr|sr|approx|[a-z])\.$/i;
const clauseEnd = /[,;:،、，；：—–]["'”’»)\]}」』]*$/;

/**
 * Sentence-like stretches: they end at a sentence's end, at a long pause, or at the last clause before 30 words or
 * 12 s are reached. Ids count from `firstId`.
 */
export function toSegments(words: readonly PlacedWord[], windows: readonly WindowSigns[], firstId = 0): Segment[] {
  const groups = splitLong(splitSentences(words));
  const segments: Segment[] = [];
  const texts: string[] = [];
  for (const group of groups) {
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) continue;
    const text = textOf(group);
    const confidence = mean(group.map((word) => word.probability));
    const rawConfidence = mean(group.map((word) => word.rawProbability));
    const signs = [...new Set(group.map((word) => word.windowIndex))].flatMap((index) => windows[index] ?? []);
    const unvoicedCount = group.filter(({ unvoiced }) => unvoiced).length;
    const known = { words: group, unvoicedCount, confidence, rawConfidence };
    const flags = findFlags({ text, ...known, windows: signs, previousTexts: texts });
    const limit = confidenceLimit(flags);
    segments.push({
      id: firstId + segments.length,
      start: first.start,
      end: last.end,
      text,
      confidence: Math.min(confidence, limit),
      flags,
      words: group.map(({ word, start, end, probability }) => ({
        word,
        start,
        end,
        probability: Math.min(probability, limit),
      })),
    });
    texts.push(text);
  }
  return segments;
}

function splitSentences(words: readonly PlacedWord[]): PlacedWord[][] {
  const groups: PlacedWord[][] = [];
  let current: PlacedWord[] = [];
  words.forEach((word, i) => {
    current.push(word);
    const next = words[i + 1];
    if (next === undefined) return;
    const pause = next.start - word.end;
    const seconds = word.end - (current[0] as PlacedWord).start;
    const ends = sentenceEnd.test(word.word) && !abbreviation.test(word.word) && (seconds >= minSeconds || pause > 0.3);
    if (ends || pause >= longPauseSeconds) {
      groups.push(current);
      current = [];
    }
  });
  if (current.length > 0) groups.push(current);
  return groups;
}

function splitLong(groups: readonly PlacedWord[][]): PlacedWord[][] {
  const result: PlacedWord[][] = [];
  // Groups come off the end; a split pushes its halves back, the earlier one on top.
  const waiting = [...groups].reverse();
  for (let group = waiting.pop(); group !== undefined; group = waiting.pop()) {
    const cut = cutOf(group);
    if (cut === null) result.push(group);
    else waiting.push(group.slice(cut), group.slice(0, cut));
  }
  return result;
}

/** Where a group that is too long is cut in two: near its middle, best after a clause, at a pause or between windows. */
function cutOf(group: readonly PlacedWord[]): number | null {
  const first = group[0] as PlacedWord;
  const last = group.at(-1) as PlacedWord;
  const seconds = last.end - first.start;
  if (group.length < 2 || (group.length <= maxWords && seconds <= maxSeconds)) return null;
  let best = group.length >> 1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < group.length; i++) {
    const before = group[i - 1] as PlacedWord;
    const after = group[i] as PlacedWord;
    const share = seconds > 0 ? (before.end - first.start) / seconds : i / group.length;
    let score = -3 * Math.abs(share - 0.5) + Math.min(1, after.start - before.end);
    if (clauseEnd.test(before.word)) score += 0.6;
    if (before.windowIndex !== after.windowIndex) score += 0.3;
    if (score > bestScore) {
      bestScore = score;
      best = i;
    }
  }
  return best;
}

function textOf(words: readonly PlacedWord[]): string {
  return words.map(({ word, gap }, i) => (i === 0 ? word : gap + word)).join('');
}

function mean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.length === 0 ? 0 : Math.round((sum / values.length) * 1000) / 1000;
}
