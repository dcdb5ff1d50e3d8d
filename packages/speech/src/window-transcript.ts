import type { Word } from '@studymate/contracts/transcript';

/** A word with the tokens it is made of, where the engine tells them. */
export interface TimedWord extends Word {
  tokens?: number[];
  /**
   * Natural logarithm of the model's probability of each token, among the whole vocabulary. The word's probability is
   * computed from them; where they are missing it is what the engine says.
   */
  logProbabilities?: readonly number[];
}

/** What the model says of one window. Times are seconds from the window's start. */
export interface WindowTranscript {
  /** The one given or the likeliest; it means nothing when there is no text. */
  language: string;
  /** What the model gives this language among all it knows. */
  languageProbability: number;
  text: string;
  /** Empty when no word times were asked for or the model cannot give them. */
  words: TimedWord[];
  /** Places of the words in whose time nobody speaks, where that was looked at. */
  unvoicedWords?: number[];
  tokens: number[];
  /** Of the try that counts; 0: always the likeliest token. */
  temperature: number;
  /** Mean natural logarithm of the tokens' probabilities, end of text included. */
  averageLogProbability: number;
  compressionRatio: number;
  noSpeechProbability: number;
}
