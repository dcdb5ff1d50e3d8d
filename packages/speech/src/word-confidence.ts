import type { TimedWord, WindowTranscript } from './window-transcript.ts';

/**
 * How likely a word is to be right. A model's own probabilities are no shares of right words: Whisper spreads them over
 * spellings of the same word ("Four", "4", " four,"), most of all where a text begins, and trusts itself too much in a
 * text that has gone astray as a whole. A logistic regression (Platt 1999) over few signals puts them right. Fitted by
 * `npm run bench -- calibration FOLDER --fit`, which prints these numbers anew; figures stand in docs/speech.md.
 */
const intercept = 1.831;

/** One a signal, in the order of `toSignals`. None is negative: a higher signal never makes a word less likely. */
export const signalWeights: readonly number[] = [0.62, 3.229, 0.988, 1.661];

const leastProbability = 1e-3;

function logit(probability: number): number {
  const p = Math.min(Math.max(probability, leastProbability), 1 - leastProbability);
  return Math.log(p / (1 - p));
}

/** The mean probability that the model gives a word's tokens, as openai/whisper takes it; raw, not put right. */
export function rawProbability(word: TimedWord): number {
  const { logProbabilities } = word;
  if (logProbabilities === undefined || logProbabilities.length === 0) return word.probability;
  const sum = logProbabilities.reduce((total, value) => total + Math.exp(value), 0);
  return Math.min(1, sum / logProbabilities.length);
}

type WindowSigns = Pick<WindowTranscript, 'averageLogProbability'>;

/** What a word's confidence is computed from, as plain numbers; null for words whose tokens are not known. */
export function toSignals(word: TimedWord, isFirst: boolean, window: WindowSigns): number[] | null {
  const { logProbabilities } = word;
  if (logProbabilities === undefined || logProbabilities.length === 0) return null;
  return [
    logit(Math.exp(Math.min(...logProbabilities))),
    Math.max(-3, Math.min(0, window.averageLogProbability)),
    isFirst ? 1 : 0,
    // A number has two spellings, and its probability is spread over both: "Four", "4".
    /\p{N}/u.test(word.word) ? 1 : 0,
  ];
}

/** The logistic function of the weighted sum: the share of right words among those with these signals. */
export function confidenceOf(signals: readonly number[], weights = signalWeights, constant = intercept): number {
  const sum = signals.reduce((total, signal, i) => total + signal * (weights[i] ?? 0), constant);
  return 1 / (1 + Math.exp(-sum));
}

/** The words of a window, each probability being the share of such words that prove right. */
export function calibrateWords(words: readonly TimedWord[], window: WindowSigns): TimedWord[] {
  return words.map((word, i) => {
    const signals = toSignals(word, i === 0, window);
    return signals === null ? word : { ...word, probability: Math.round(confidenceOf(signals) * 1000) / 1000 };
  });
}
