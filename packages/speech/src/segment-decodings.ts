import type { Chunk, SegmentDecoding } from '@studymate/contracts/artifacts';
import type { Segment } from '@studymate/contracts/transcript';
import type { WindowTranscript } from './window-transcript.ts';

interface Piece {
  windowIndex: number;
  word: string | null;
  tokens: number[];
}

/**
 * How the model came to each segment: its own tokens, and the signs of the window in which it begins.
 * @param segments what `assembleChunk` made of the same windows and results
 * @returns one for each segment; null when the segments have other words than the results
 */
export function toSegmentDecodings(
  chunk: Pick<Chunk, 'windows'>,
  results: readonly WindowTranscript[],
  segments: readonly Segment[],
): SegmentDecoding[] | null {
  // The words in their order, with their windows; a window of text without word times is one piece.
  const pieces = results.flatMap((result, windowIndex): Piece[] => {
    if (result.text === '') return [];
    if (result.words.length === 0) return [{ windowIndex, word: null, tokens: result.tokens }];
    return result.words.map(({ word, tokens = [] }) => ({ windowIndex, word, tokens }));
  });
  const decodings: SegmentDecoding[] = [];
  let next = 0;
  for (const segment of segments) {
    const its = pieces.slice(next, next + Math.max(1, segment.words.length));
    next += its.length;
    const isSame = its.every(({ word }, i) => word === (segment.words[i]?.word ?? null));
    const window = chunk.windows[its[0]?.windowIndex ?? -1];
    const result = results[its[0]?.windowIndex ?? -1];
    if (!isSame || !window || !result) return null;
    const { temperature, averageLogProbability, compressionRatio, noSpeechProbability } = result;
    decodings.push({
      windowStart: window.start,
      tokens: its.flatMap(({ tokens }) => tokens),
      temperature,
      averageLogProbability: round(averageLogProbability),
      compressionRatio: round(compressionRatio),
      noSpeechProbability: round(noSpeechProbability),
    });
  }
  return next === pieces.length ? decodings : null;
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
