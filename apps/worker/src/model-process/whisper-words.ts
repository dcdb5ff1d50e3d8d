import type { WhisperTokens } from '@studymate/speech/whisper-tokens';
import type { TimedWord } from '@studymate/speech/window-transcript';
import { alignTokens, type TimedSpan, tidySpans } from '@studymate/speech/word-times';
import type { Attention } from './whisper-model.ts';

export interface TimeWordsInput {
  attempt: { tokens: readonly number[]; logProbabilities: readonly number[]; attention: Attention };
  tokens: WhisperTokens;
  promptLength: number;
  language: string;
  /** Length of the sound, without padding and without the lead. */
  seconds: number;
  /** Silence that was put before the sound. */
  leadSeconds: number;
}

const encoderFramesPerSecond = 50;
const sentenceEnd = /[.。!！?？]["'”’)\]]*$/;

/** The words of a decoded window with their times; none when the export gives no attention. */
export function timeWords(input: TimeWordsInput): TimedWord[] {
  const { attempt, tokens, promptLength, seconds, leadSeconds } = input;
  const { attention, headCount, rowCount, columnCount } = attempt.attention;
  if (headCount === 0 || rowCount === 0 || attempt.tokens.length === 0) return [];
  // The last prompt token's row is the one that predicts the first text token; the last text token's row predicts the
  // end of text, so its begin is the end of the last word.
  const starts = alignTokens({
    attention,
    headCount,
    rowCount,
    columnCount,
    promptRows: promptLength - 1,
    frameCount: Math.max(1, Math.min(columnCount, Math.floor((leadSeconds + seconds) * encoderFramesPerSecond))),
  });

  const pieces = tokens.splitIntoWords(attempt.tokens, input.language).filter(({ text }) => text.trim() !== '');
  const spans: TimedSpan[] = pieces.map(({ text, firstToken, tokenCount }) => ({
    start: (starts[firstToken] as number) - leadSeconds,
    end: (starts[firstToken + tokenCount] as number) - leadSeconds,
    endsSentence: sentenceEnd.test(text),
  }));
  tidySpans(spans, seconds);
  return pieces.map(({ text, firstToken, tokenCount }, index) => {
    let sum = 0;
    for (let i = firstToken; i < firstToken + tokenCount; i++) sum += Math.exp(attempt.logProbabilities[i] as number);
    const { start, end } = spans[index] as TimedSpan;
    return {
      word: text.trim(),
      start: round(start),
      end: round(end),
      probability: round(Math.min(1, sum / tokenCount)),
      tokens: attempt.tokens.slice(firstToken, firstToken + tokenCount),
    };
  });
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
