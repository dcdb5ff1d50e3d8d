import type { Segment, Word } from '@studymate/contracts/transcript';
import { placeWords, type Token } from './place-words.ts';

/** Of a segment so many pairs of words are compared, those of 200 by 200; what differs in more counts as rewritten. */
const mostPairs = 40_000;

const isLetter = /[\p{L}\p{M}\p{N}]/u;
const opensQuote = /^[\p{Ps}\p{Pi}]+$/u;
/** Scripts that are written without spaces between words. */
const isUnspacedLetter =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * The words of a text that a person has made of a segment's. Those that stayed keep their times and probability, also when
 * capitals or punctuation have changed; new ones share the time of those whose place they take, or else that between
 * their neighbours, or with these where that is too short, by their length, and have the probability 1. None where the segment has no word times.
 * @param language ISO 639-1 of the segment
 */
export function alignWords(segment: Segment, text: string, language: string | null): Word[] {
  if (segment.words.length === 0) return [];
  const unspaced = isUnspaced(segment.text + text);
  const old = unspaced ? segment.words : toWrittenWords(segment);
  const tokens = unspaced ? findPieces(old, text, language) : findWords(old, text);
  return placeWords(tokens, old, segment);
}

/** By its letters, not by the lecture's language: people write Chinese into English lectures, and the reverse. */
export function isUnspaced(text: string): boolean {
  const unspaced = text.match(isUnspacedLetter)?.length ?? 0;
  return unspaced > 0 && 2 * unspaced > (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0);
}

/** The words as the text parts them: pieces without a space between ("well", "-known") are one. */
function toWrittenWords({ text, words }: Segment): readonly Word[] {
  const written = text.split(' ');
  if (written.length === words.length && words.every(({ word }, i) => word === written[i])) return words;
  const whole: (Word & { pieces: number })[] = [];
  let cursor = 0;
  for (const piece of words) {
    const at = text.indexOf(piece.word, cursor);
    const last = whole.at(-1);
    const gap = at < 0 ? ' ' : text.slice(cursor, at);
    if (at >= 0) cursor = at + piece.word.length;
    if (last === undefined || /\s/u.test(gap)) {
      whole.push({ ...piece, pieces: 1 });
      continue;
    }
    last.word += gap + piece.word;
    last.end = Math.max(last.end, piece.end);
    last.probability = (last.probability * last.pieces + piece.probability) / (last.pieces + 1);
    last.pieces++;
  }
  return whole.map(({ pieces: _, ...word }) => word);
}

function findWords(old: readonly Word[], text: string): Token[] {
  const texts = text.split(/\s+/u).filter((each) => each !== '');
  const places = matchInOrder(
    old.map(({ word }) => word),
    texts,
    toKey,
  );
  return texts.map((each, i) => ({ text: each, old: places[i] ?? null }));
}

/** Where words have no spaces between them: the old pieces that still stand there whole, and what is between them in words. */
function findPieces(old: readonly Word[], text: string, language: string | null): Token[] {
  const characters = [...text];
  // Letters alone are compared: a sign that was put in or taken away costs no piece its time.
  const letters = characters.flatMap((character, at) => (isLetter.test(character) ? [{ character, at }] : []));
  const oldLetters = old.map(({ word }) => [...word].filter((character) => isLetter.test(character)));
  const places = matchInOrder(
    oldLetters.flat(),
    letters.map(({ character }) => character),
    toKey,
  );
  const newAt = new Map(places.map((place, at) => [place, at]));
  const pieceAt = new Map<number, number>();
  let first = 0;
  oldLetters.forEach(({ length }, piece) => {
    const from = newAt.get(first);
    const isWhole =
      length > 0 && from !== undefined && oldLetters[piece]?.every((_, i) => places[from + i] === first + i);
    if (isWhole) pieceAt.set(from, piece);
    first += length;
  });
  /** Where in the text a letter's token begins: a bracket that opens belongs to what follows, any other sign to what precedes. */
  const beginOf = (letter: number): number => {
    if (letter === 0) return 0;
    let at = letters[letter]?.at ?? characters.length;
    while (letter < letters.length && opensQuote.test(characters[at - 1] ?? '')) at--;
    return at;
  };
  const textOf = (from: number, to: number) => characters.slice(beginOf(from), beginOf(to)).join('').trim();
  if (letters.length === 0) return text === '' ? [] : [{ text, old: null }];
  const segmenter = new Intl.Segmenter(language ?? undefined, { granularity: 'word' });
  const tokens: Token[] = [];
  for (let from = 0; from < letters.length; ) {
    const piece = pieceAt.get(from);
    if (piece !== undefined) {
      const to = from + (oldLetters[piece] as string[]).length;
      tokens.push({ text: textOf(from, to), old: piece });
      from = to;
      continue;
    }
    let to = from + 1;
    while (to < letters.length && !pieceAt.has(to)) to++;
    tokens.push(...toWords(segmenter.segment(textOf(from, to))));
    from = to;
  }
  return tokens;
}

/** New words, each with the signs at its side. */
function toWords(segments: Iterable<{ segment: string }>): Token[] {
  const words: Token[] = [];
  let opening = '';
  for (const { segment } of segments) {
    const last = words.at(-1);
    if (segment.trim() === '') continue;
    if (isLetter.test(segment)) {
      words.push({ text: opening + segment, old: null });
      opening = '';
    } else if (last === undefined || opening !== '' || opensQuote.test(segment)) opening += segment;
    else last.text += segment;
  }
  const last = words.at(-1);
  if (last) last.text += opening;
  return words;
}

/** A text without capitals, signs and spaces; signs alone stay. */
export function toKey(word: string): string {
  return (
    word
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}]/gu, '') || word
  );
}

/**
 * For each of `after`, its place in `before` by a longest common subsequence; null for what is new.
 * @param toKey by what those are the same that are not equal
 */
function matchInOrder(
  before: readonly string[],
  after: readonly string[],
  toKey: (word: string) => string,
): (number | null)[] {
  const places: (number | null)[] = after.map(() => null);
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) places[head] = head++;
  let tail = 0;
  const least = Math.min(before.length, after.length) - head;
  while (tail < least && before[before.length - 1 - tail] === after[after.length - 1 - tail]) {
    tail++;
    places[after.length - tail] = before.length - tail;
  }
  const rows = before.length - head - tail;
  const columns = after.length - head - tail;
  if (rows * columns > mostPairs) return places;
  const [rowKeys, columnKeys] = [
    before.slice(head, head + rows).map(toKey),
    after.slice(head, head + columns).map(toKey),
  ];
  // Length of the longest subsequence of what is left from row and column on.
  const width = columns + 1;
  const lengths = new Uint16Array((rows + 1) * width);
  const lengthAt = (row: number, column: number) => lengths[row * width + column] as number;
  const isSame = (row: number, column: number) => rowKeys[row] === columnKeys[column];
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      lengths[row * width + column] = isSame(row, column)
        ? lengthAt(row + 1, column + 1) + 1
        : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (isSame(row, column)) places[head + column++] = head + row++;
    else if (lengthAt(row + 1, column) >= lengthAt(row, column + 1)) row++;
    else column++;
  }
  return places;
}
