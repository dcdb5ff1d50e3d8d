import { spreadOverSpeech } from '@studymate/speech/speech-stretches';
import type { TokenWord, WhisperTokens } from '@studymate/speech/whisper-tokens';
import type { TimedWord } from '@studymate/speech/window-transcript';
import { alignTokens } from '@studymate/speech/word-times';
import { toWords, type UntidyWord } from './engines/to-words.ts';
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

/** The words of a decoded window with their times; spread evenly over the sound when the export gives no attention. */
export function timeWords(input: TimeWordsInput): TimedWord[] {
  const { attempt, tokens, promptLength, seconds, leadSeconds } = input;
  const { attention, headCount, rowCount, columnCount } = attempt.attention;
  const pieces = tokens.splitIntoWords(attempt.tokens, input.language).filter(({ text }) => text.trim() !== '');
  if (pieces.length === 0) return [];
  const toUntidy = (piece: TokenWord, start: number, end: number): UntidyWord => {
    const endToken = piece.firstToken + piece.tokenCount;
    const probabilities = attempt.logProbabilities.slice(piece.firstToken, endToken).map(Math.exp);
    return { text: piece.text, tokens: attempt.tokens.slice(piece.firstToken, endToken), probabilities, start, end };
  };
  if (headCount === 0 || rowCount === 0) {
    const texts = pieces.map(({ text }) => text);
    const spans = spreadOverSpeech(texts, [], seconds);
    const untidy = spans.map(({ start, end }, i) => toUntidy(pieces[i] as TokenWord, start, end));
    return toWords(untidy, seconds);
  }
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
  const startOf = (token: number) => (starts[token] as number) - leadSeconds;
  const untidy = pieces.map((piece) =>
    toUntidy(piece, startOf(piece.firstToken), startOf(piece.firstToken + piece.tokenCount)),
  );
  return toWords(untidy, seconds);
}
