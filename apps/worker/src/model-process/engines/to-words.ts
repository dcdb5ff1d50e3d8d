import type { TimedWord } from '@studymate/speech/window-transcript';
import { type TimedSpan, tidySpans } from '@studymate/speech/word-times';

const sentenceEnd = /[.。!！?？]["'”’)\]]*$/;

export interface UntidyWord extends Omit<TimedSpan, 'endsSentence'> {
  text: string;
  tokens: number[];
  /** Of its tokens. */
  probabilities: readonly number[];
  /** Of its tokens, where `probabilities` are something else, such as a calibrated one for the word. */
  logProbabilities?: readonly number[] | undefined;
}

/** Words with sane times (milliseconds, in order, within the sound) and the mean probability of their tokens. */
export function toWords(untidy: readonly UntidyWord[], lengthSeconds: number): TimedWord[] {
  const spoken = untidy.filter(({ text }) => text.trim() !== '');
  const spans = spoken.map(({ text, start, end }) => ({ start, end, endsSentence: sentenceEnd.test(text) }));
  tidySpans(spans, lengthSeconds);
  return spoken.map(({ text, tokens, probabilities, logProbabilities = probabilities.map(Math.log) }, i) => {
    const { start, end } = spans[i] as TimedSpan;
    const mean = probabilities.reduce((sum, value) => sum + value, 0) / Math.max(1, probabilities.length);
    const times = { start: round(start), end: round(end) };
    return { word: text.trim(), ...times, probability: round(Math.min(1, mean)), tokens, logProbabilities };
  });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
