import type { Segment, Transcript, Word } from '@studymate/contracts/transcript';
import { findWords } from './text-terms.ts';

/** A sentence with its place in the recording; times in seconds. */
export interface TimedSentence {
  text: string;
  start: number;
  end: number;
  /** Silence between the word before and its first word; 0 for the first sentence. */
  pauseBefore: number;
  /** Mean probability of its words, 0 to 1. */
  confidence: number;
  /** Part of it lies in a segment that carries a flag which doubts it. */
  flagged: boolean;
  /**
   * Parts of `text` (UTF-16 indexes) that no phrase may hold or run over: words of a probability below 0.5, and
   * places without length where a segment begins with a capital behind a lower-case word. Absent when there are none.
   */
  barriers?: readonly TextSpan[];
}

export interface TextSpan {
  from: number;
  to: number;
}

/** Below this a word is likelier misheard than right ("missile type", .32, for "missal type"). */
const unsureProbability = 0.5;

/** Where speech without punctuation is cut: at a pause this long once there are enough words, else at the maximum. */
const cutPauseSeconds = 0.6;
const minWordsAtPause = 6;
const maxWords = 45;
/** A semicolon parts what would be a very long sentence. */
const minWordsAtSemicolon = 35;
const targetWords = 18;

const abbreviation =
  /(?:^|[\s("'“‘[])(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|cf|Fig|Eq|No|Vol|pp?|Ch|Sec|approx|ca|al|Inc|Ltd|Co|Corp|Gen|Col|Sgt|Capt|Rev|Hon|e\.g|i\.e|z\.B|d\.h|bzw|M|Mme|Mlle|[A-Z]|(?:[A-Za-z]\.)+[A-Za-z])\.$/u;
const endMark = /[.!?…。！？؟۔।]["'”’»)\]」』]*$/u;
/** These can end a sentence only before something that looks like a beginning. */
const softAbbreviation = /(?:^|\s)(?:etc|al|Inc|Ltd|Co|Jr|Sr|p\.m|a\.m|U\.S|U\.K|[ap]m)\.$/iu;

function isAbbreviation(head: string, next: string): boolean {
  if (!abbreviation.test(head)) return false;
  return !(softAbbreviation.test(head) && /^["'“‘(]?\p{Lu}/u.test(next));
}

const maxJoinedLength = 2_000;

/** Segments that Intl.Segmenter cut in the middle of a sentence ("Dr. Smith", "3 p.m. today") are joined again. */
function joinBrokenSentences(parts: readonly string[]): string[] {
  const sentences: string[] = [];
  for (const part of parts) {
    const whole = sentences.at(-1);
    const text = part.trim();
    if (text === '') continue;
    // Only the end matters, and a run of abbreviations must not grow without bound ("A. A. A. …").
    const before = whole === undefined || whole.length > maxJoinedLength ? undefined : whole.slice(-40);
    const startsLower = /^["'“‘(]?\p{Ll}/u.test(text);
    if (before !== undefined && (isAbbreviation(before, text) || (startsLower && /\.["'”’)]*$/u.test(before)))) {
      sentences[sentences.length - 1] = `${whole} ${text}`;
    } else if (before !== undefined && !/[\p{L}\p{N}]/u.test(text)) {
      sentences[sentences.length - 1] = `${whole}${text}`;
    } else {
      sentences.push(text);
    }
  }
  return sentences;
}

/** Cuts a run without end marks into pieces of about `targetWords` words, after a comma where there is one. */
function cutLongSentence(text: string): string[] {
  const words = text.split(/\s+/);
  if (words.length <= maxWords * 2) return [text];
  const pieces: string[] = [];
  let piece: string[] = [];
  for (const word of words) {
    piece.push(word);
    if ((piece.length >= targetWords && /[,;:،、，；]$/u.test(word)) || piece.length >= maxWords) {
      pieces.push(piece.join(' '));
      piece = [];
    }
  }
  if (piece.length > 0) pieces.push(piece.join(' '));
  return pieces;
}

/**
 * The sentences of a plain text, trimmed, inner white space made single. Blank lines always part sentences. Texts are
 * segmented in pieces, because Intl.Segmenter slows down on very long strings.
 */
export function splitSentences(text: string): string[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const flat = paragraph.replace(/\s+/gu, ' ').trim();
    if (flat === '') return [];
    const parts: string[] = [];
    for (let from = 0; from < flat.length; ) {
      const to = pieceEnd(flat, from);
      for (const part of segmenter.segment(flat.slice(from, to))) parts.push(part.segment);
      from = to;
    }
    return joinBrokenSentences(parts).flatMap(cutLongSentence);
  });
}

const pieceLength = 20_000;

/** A piece ends after an end mark and a space, if one lies in its last quarter. */
function pieceEnd(text: string, from: number): number {
  const hard = Math.min(text.length, from + pieceLength);
  if (hard === text.length) return hard;
  const soft = Math.max(
    text.lastIndexOf('. ', hard),
    text.lastIndexOf('? ', hard),
    text.lastIndexOf('。', hard - 1) - 1,
  );
  if (soft > from + pieceLength * 0.75) return soft + 2;
  const space = text.lastIndexOf(' ', hard);
  return space > from ? space + 1 : hard;
}

interface PlacedWord extends Word {
  flagged: boolean;
  /** The first of its segment. */
  opens: boolean;
}

/** Far enough to find a word behind signs that the words left out. */
const maxGapLength = 12;

/** The signs and spaces before `word` in `text` from `from` on; null when the word does not come next. */
function gapBefore(text: string, from: number, word: string): string | null {
  const at = text.slice(from, from + maxGapLength + word.length).indexOf(word);
  const gap = at < 0 ? null : text.slice(from, from + at);
  return gap === null || /[\p{L}\p{N}]/u.test(gap) ? null : gap;
}

/**
 * The timed words as the segment's text parts them: pieces that stand there without a space between are one word, from
 * the first one's start to the last one's end, with the mean probability ("well", "-known"), and signs that no word has
 * go to the word they touch. Where the text does not have the words, they are taken as they are.
 */
function wordsOfText({ text, words }: Segment): Word[] {
  const whole: (Word & { pieces: number })[] = [];
  let cursor = 0;
  for (const piece of words) {
    const own = piece.word.trim();
    if (own === '') continue;
    const gap = gapBefore(text, cursor, own);
    const last = whole.at(-1);
    if (gap !== null) cursor += gap.length + own.length;
    const [behind = '', ...others] = (gap ?? ' ').split(/\s+/u);
    const before = last === undefined && others.length === 0 ? behind : (others.at(-1) ?? '');
    if (last !== undefined) last.word += behind;
    if (last === undefined || others.length > 0 || endsSpaceless(last.word)) {
      whole.push({ ...piece, word: before + own, pieces: 1 });
      continue;
    }
    last.word += own;
    last.end = Math.max(last.end, piece.end);
    last.probability = (last.probability * last.pieces + piece.probability) / (last.pieces + 1);
    last.pieces += 1;
  }
  const last = whole.at(-1);
  const rest = /^\S{0,4}$/u.exec(text.slice(cursor).trimEnd())?.[0] ?? '';
  if (last !== undefined && !/[\p{L}\p{N}]/u.test(rest)) last.word += rest;
  return whole.map(({ pieces: _, ...word }) => word);
}

/** A segment without word times gets its words spread evenly over its span. */
function wordsOf(segment: Segment): PlacedWord[] {
  const flagged = segment.flags.some((flag) => flag !== 'edited');
  if (segment.words.length > 0)
    return wordsOfText(segment).map((word, index) => ({ ...word, flagged, opens: index === 0 }));
  const texts = segment.text.split(/\s+/).filter((text) => text !== '');
  const step = (segment.end - segment.start) / Math.max(1, texts.length);
  return texts.map((word, index) => ({
    word,
    start: segment.start + index * step,
    end: segment.start + (index + 1) * step,
    probability: segment.confidence,
    flagged,
    opens: index === 0,
  }));
}

/** Asked of the last two units alone: of a long text it would look at each place. */
const spacelessEnd =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}。！？、，]$/u;

/** Whether a text ends in writing that has no spaces between words. */
function endsSpaceless(text: string): boolean {
  return spacelessEnd.test(text.slice(-2));
}

function joinWords(words: readonly PlacedWord[]): { text: string; barriers: TextSpan[] } {
  let text = '';
  const barriers: TextSpan[] = [];
  for (const { word, probability, opens } of words) {
    const piece = word.trim();
    const glue = text === '' || (endsSpaceless(text) && !/^[\p{Script=Latin}\p{N}]/u.test(piece)) ? '' : ' ';
    const from = text.length + glue.length;
    if (probability < unsureProbability) barriers.push({ from, to: from + piece.length });
    else if (opens && /^["“'‘(]?\p{Lu}/u.test(piece) && /(?<!\p{L})\p{Ll}+$/u.test(text.slice(-40))) {
      barriers.push({ from, to: from });
    }
    text += glue + piece;
  }
  return { text, barriers };
}

function toSentence(words: readonly PlacedWord[], before: PlacedWord | undefined): TimedSentence {
  const first = words[0] as PlacedWord;
  const last = words[words.length - 1] as PlacedWord;
  const { text, barriers } = joinWords(words);
  return {
    text,
    start: first.start,
    end: Math.max(first.start, last.end),
    pauseBefore: before === undefined ? 0 : Math.max(0, first.start - before.end),
    confidence: words.reduce((sum, word) => sum + word.probability, 0) / words.length,
    flagged: words.some((word) => word.flagged),
    ...(barriers.length > 0 ? { barriers } : {}),
  };
}

/** Fewer words than these are no lecture when the recogniser is unsure of all of them. */
const fewWords = 30;
const doubtfulFlags: ReadonlySet<string> = new Set(['low_confidence', 'possible_hallucination']);

/**
 * False when there is nothing to make chapters, a summary or cards of: no words, or fewer than 30 and every segment
 * flagged as uncertain or invented (noise that was taken for speech). What people have removed does not count.
 */
export function hasStudyableSpeech(transcript: Transcript): boolean {
  const segments = transcript.segments.filter(({ text }) => text !== '');
  const doubtful = segments.every(({ flags }) => flags.some((flag) => doubtfulFlags.has(flag)));
  let count = 0;
  for (const segment of segments) {
    count += findWords(segment.text).length;
    if (count >= fewWords) return true;
  }
  return count > 0 && !doubtful;
}

/**
 * The sentences of a transcript with their times. They may span segments; speech without punctuation is cut at
 * pauses, and anything is cut at 45 words at the latest after twice that without an end mark.
 */
export function toTimedSentences(transcript: Transcript): TimedSentence[] {
  return [...eachTimedSentence(transcript)];
}

/** The same one by one, for where others need the thread in between: hours of speech take hundreds of milliseconds. */
export function* eachTimedSentence(transcript: Transcript): Generator<TimedSentence> {
  const words = transcript.segments.flatMap(wordsOf).filter((word) => word.word.trim() !== '');
  const marks = words.reduce((count, word) => count + (endMark.test(word.word) ? 1 : 0), 0);
  const punctuated = marks * 60 >= words.length;
  let from = 0;
  let head = '';
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as PlacedWord;
    const next = words[index + 1];
    head = `${head.slice(-40)} ${word.word.trim()}`;
    const length = index + 1 - from;
    const pause = next === undefined ? 0 : next.start - word.end;
    const ended = endMark.test(word.word) && (next === undefined || !isAbbreviation(head, next.word.trim()));
    const paused = !punctuated && length >= minWordsAtPause && pause >= cutPauseSeconds;
    const tooLong = punctuated
      ? length >= maxWords * 2 || (length >= minWordsAtSemicolon && /;$/.test(word.word))
      : length >= maxWords || (length >= targetWords && pause >= 0.25);
    if (next === undefined || ended || paused || tooLong) {
      yield toSentence(words.slice(from, index + 1), words[from - 1]);
      from = index + 1;
      head = '';
    }
  }
}
