import type { Word } from '@studymate/contracts/transcript';

/** What the model says of one window. Times are seconds from the window's start. */
export interface WindowTranscript {
  /** The one given or the likeliest; it means nothing when there is no text. */
  language: string;
  /** What the model gives this language among all it knows. */
  languageProbability: number;
  text: string;
  /** Empty when no word times were asked for or the model cannot give them. */
  words: Word[];
  tokens: number[];
  /** Mean natural logarithm of the tokens' probabilities, end of text included. */
  averageLogProbability: number;
  compressionRatio: number;
  noSpeechProbability: number;
}
