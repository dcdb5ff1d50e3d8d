import type { Chunk, TranscribedChunk } from '@studymate/contracts/artifacts';
import type { Segment, Transcript } from '@studymate/contracts/transcript';
import { isUnspacedLanguage } from './languages.ts';
import { confidenceLimit, findFlags } from './segment-flags.ts';
import { type PlacedWord, toSegments } from './segments.ts';
import type { WindowTranscript } from './window-transcript.ts';
import { rawProbability } from './word-confidence.ts';

/**
 * Segments of one chunk, times in the recording, ids from 0. They may cross windows but never chunks, so that a
 * chunk's segments are final as soon as it is transcribed. Those in another language than most of the chunk say so.
 * @param results one for each of the chunk's windows, in order
 */
export function assembleChunk(chunk: Pick<Chunk, 'windows'>, results: readonly WindowTranscript[]): Segment[] {
  if (results.length !== chunk.windows.length) {
    throw new RangeError(`The chunk has ${chunk.windows.length} windows, but ${results.length} results came`);
  }
  const segments: Segment[] = [];
  const common = chunkLanguage(chunk, results)?.language;
  let waiting: PlacedWord[] = [];
  let waitingLanguage: string | undefined;
  const languageField = (language: string | undefined) => (language === common ? {} : { language });
  const closeWaiting = (): void => {
    const closed = toSegments(waiting, results, segments.length);
    segments.push(...closed.map((segment) => ({ ...segment, ...languageField(waitingLanguage) })));
    waiting = [];
  };
  chunk.windows.forEach((window, windowIndex) => {
    const result = results[windowIndex] as WindowTranscript;
    if (result.text === '') return;
    if (result.words.length > 0) {
      if (result.language !== waitingLanguage) closeWaiting();
      waitingLanguage = result.language;
      waiting.push(...placeWords(result, window, windowIndex));
      return;
    }
    // Without word times all that is known is that the text lies in the window.
    closeWaiting();
    const confidence = round(Math.min(1, Math.exp(result.averageLogProbability)));
    const { text } = result;
    const known = { words: [], unvoicedCount: 0, confidence, rawConfidence: confidence };
    const flags = findFlags({ text, ...known, windows: [result], previousTexts: [] });
    const { start, end } = window;
    const believed = Math.min(confidence, confidenceLimit(flags));
    const spoken = languageField(result.language);
    segments.push({ id: segments.length, start, end, text, confidence: believed, flags, ...spoken, words: [] });
  });
  closeWaiting();
  return segments;
}

/** Words with times in the recording, and with what the text has between them. */
function placeWords(
  result: WindowTranscript,
  window: { start: number; end: number },
  windowIndex: number,
): PlacedWord[] {
  const unspaced = isUnspacedLanguage(result.language);
  let cursor = 0;
  return result.words.map((word, i) => {
    const at = result.text.indexOf(word.word, cursor);
    const found = at >= 0 && result.text.slice(cursor, at).trim() === '';
    const between = found ? result.text.slice(cursor, at) : unspaced ? '' : ' ';
    if (found) cursor = at + word.word.length;
    // The first word follows another window's last one.
    const gap = i === 0 ? (unspaced ? '' : ' ') : between;
    const start = Math.min(window.start + word.start, window.end);
    const end = Math.min(Math.max(window.start + word.end, start), window.end);
    const times = { start: round(start), end: round(end) };
    const probabilities = { probability: word.probability, rawProbability: rawProbability(word) };
    const unvoiced = result.unvoicedWords?.includes(i) ?? false;
    return { word: word.word, ...times, ...probabilities, gap, windowIndex, unvoiced };
  });
}

/**
 * The language that most of the chunk's sound is in, weighed by what was said and by how sure the model is; null when
 * nothing was said.
 */
export function chunkLanguage(
  chunk: Pick<Chunk, 'windows'>,
  results: readonly WindowTranscript[],
): { language: string; languageProbability: number } | null {
  const votes = new Map<string, { weight: number; seconds: number }>();
  results.forEach((result, i) => {
    const window = chunk.windows[i];
    if (result.text === '' || window === undefined) return;
    const vote = votes.get(result.language) ?? { weight: 0, seconds: 0 };
    vote.seconds += window.end - window.start;
    vote.weight += (window.end - window.start) * result.languageProbability;
    votes.set(result.language, vote);
  });
  const [winner] = [...votes].sort(([, a], [, b]) => b.weight - a.weight);
  if (winner === undefined) return null;
  const [language, { weight, seconds }] = winner;
  return { language, languageProbability: seconds > 0 ? round(weight / seconds) : 0 };
}

/** The whole transcript; chunks in any order. Ids are renumbered, so they count as the events have counted. */
export function assembleTranscript(chunks: readonly TranscribedChunk[]): Transcript {
  const spoken = [...chunks]
    .sort((a, b) => a.index - b.index)
    .flatMap((chunk) => chunk.segments.map((segment) => ({ segment, language: segment.language ?? chunk.language })));
  if (spoken.length === 0) return { language: null, text: '', segments: [] };

  const seconds = new Map<string, number>();
  for (const { segment, language } of spoken) {
    if (language === null) continue;
    seconds.set(language, (seconds.get(language) ?? 0) + segment.end - segment.start);
  }
  const [winner] = [...seconds].sort(([, a], [, b]) => b - a);
  const language = winner?.[0] ?? null;
  const segments = spoken.map(({ segment: { language: _, ...segment }, language: own }, id) => ({
    ...segment,
    id,
    ...(own === null || own === language ? {} : { language: own }),
  }));
  const text = segments.map((segment) => segment.text).join(isUnspacedLanguage(language) ? '' : ' ');
  return { language, text, segments };
}

/** Milliseconds: finer times would pretend to know more than the encoder's 20 ms frames. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
