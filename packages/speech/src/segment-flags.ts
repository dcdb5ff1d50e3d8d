import type { Segment, Word } from '@studymate/contracts/transcript';
import { isPhantomPhrase, toPlainWords } from './phantom-phrases.ts';
import { hasLoop, toLoopWords } from './repetition.ts';

/** What is known of a window as a whole. */
export interface WindowSigns {
  text: string;
  averageLogProbability: number;
  compressionRatio: number;
  noSpeechProbability: number;
}

export interface FlagInput {
  text: string;
  words: readonly Word[];
  /** How many of the words lie where nobody speaks. */
  unvoicedCount: number;
  /** The share of its words that are likely to be right. */
  confidence: number;
  /** Mean probability that the model gives its words; the limits for invented text were found with it. */
  rawConfidence: number;
  /** The windows that the words come from. */
  windows: readonly WindowSigns[];
  /** Texts of the segments before this one, oldest first. */
  previousTexts: readonly string[];
}

/** Where half of the words are likely to be wrong, a warning is due. */
const lowConfidence = 0.5;
/** openai/whisper's sign for text that goes in circles. */
const circlingRatio = 2.4;
const noSpeechThreshold = 0.6;
/** Auctioneers reach 5; above this the words cannot have been said in the time they are given. */
const maxWordsPerSecond = 9;
const maxCharactersPerSecond = 45;

/** Words that have no room for a syllable, one after the other: at a window's end, most often. */
const piledSeconds = 0.05;
const piledWords = 5;

/** What may not have been said at all is never given with more confidence than this. */
const mostConfidenceInDoubt = 0.5;

/** The greatest confidence that a segment, or a word in it, may have with these flags. */
export function confidenceLimit(flags: Segment['flags']): number {
  return flags.includes('possible_hallucination') || flags.includes('repeated') ? mostConfidenceInDoubt : 1;
}

/** Signs that a segment may not be what was said. They are hints: the text is kept. */
export function findFlags(input: FlagInput): Segment['flags'] {
  const flags: Segment['flags'] = [];
  if (input.confidence < lowConfidence) flags.push('low_confidence');
  if (isRepeated(input)) flags.push('repeated');
  if (mayBeInvented(input)) flags.push('possible_hallucination');
  return flags;
}

function isRepeated({ text, words, previousTexts }: FlagInput): boolean {
  // "Ha-ha-ha-ha" is one word, and a loop all the same.
  const said = words.length > 0 ? words.flatMap(({ word }) => toLoopWords(word)) : toLoopWords(text);
  if (hasLoop(said)) return true;
  const normal = toPlainWords(text);
  const [before, beforeThat] = [previousTexts.at(-1), previousTexts.at(-2)];
  if (before === undefined || beforeThat === undefined || normal === '') return false;
  return toPlainWords(before) === normal && toPlainWords(beforeThat) === normal;
}

function mayBeInvented({ text, words, unvoicedCount, rawConfidence, windows }: FlagInput): boolean {
  if (unvoicedCount * 2 > words.length || arePiledUp(words)) return true;
  if (windows.some((window) => window.compressionRatio > circlingRatio)) return true;
  if (windows.some((window) => window.noSpeechProbability > noSpeechThreshold && rawConfidence < 0.8)) return true;
  const first = words[0];
  const last = words.at(-1);
  if (first !== undefined && last !== undefined && words.length >= 4) {
    const seconds = Math.max(last.end - first.start, 0.02);
    if (words.length / seconds > maxWordsPerSecond || text.length / seconds > maxCharactersPerSecond) return true;
  }
  const normal = toPlainWords(text);
  if (!isPhantomPhrase(text)) return false;
  return windows.every(
    (window) => toPlainWords(window.text) === normal && (window.noSpeechProbability > 0.2 || rawConfidence < 0.7),
  );
}

function arePiledUp(words: readonly Word[]): boolean {
  let piled = 0;
  for (const { start, end } of words) {
    piled = end - start < piledSeconds ? piled + 1 : 0;
    if (piled >= piledWords) return true;
  }
  return false;
}
