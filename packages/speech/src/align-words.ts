import type { Segment, Word } from '@studymate/contracts/transcript';
import { isUnspacedLanguage } from './languages.ts';

/** Of a segment so many pairs of words are compared, those of 200 by 200; what differs in more counts as rewritten. */
const mostPairs = 40_000;

/** A word of the new text, and which of the old words it is; null: a new one. */
interface Token {
  text: string;
  old: number | null;
}

/**
 * The words of a text that a person has made of a segment's. Those that stayed keep their times and probability, also when
 * capitals or punctuation have changed; new ones share the time of those whose place they take, or else that between
 * their neighbours, by their length, with the probability 1. None where the segment has no word times.
 * @param language ISO 639-1 of the segment
 */
export function alignWords(segment: Segment, text: string, language: string | null): Word[] {
  if (segment.words.length === 0) return [];
  const unspaced = isUnspacedLanguage(language);
  const old = unspaced ? segment.words : toWrittenWords(segment);
  const tokens = unspaced ? findPieces(old, text, language) : findWords(old, text);
  return placeTokens(tokens, old, segment);
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
  const oldCharacters = old.map(({ word }) => [...word.replace(/\s/gu, '')]);
  const places = matchInOrder(oldCharacters.flat(), characters, (character) => character);
  const pieceAt = new Map<number, number>();
  let first = 0;
  oldCharacters.forEach(({ length }, piece) => {
    const from = places.indexOf(first);
    const isWhole = length > 0 && from >= 0 && oldCharacters[piece]?.every((_, i) => places[from + i] === first + i);
    if (isWhole) pieceAt.set(from, piece);
    first += length;
  });
  const segmenter = new Intl.Segmenter(language ?? undefined, { granularity: 'word' });
  const tokens: Token[] = [];
  let rest = '';
  const closeRest = (): void => {
    for (const { segment } of segmenter.segment(rest)) {
      const last = tokens.at(-1);
      if (segment.trim() === '') continue;
      // A sign belongs to the word before it.
      if (last?.old === null && !/[\p{L}\p{N}]/u.test(segment)) last.text += segment;
      else tokens.push({ text: segment, old: null });
    }
    rest = '';
  };
  for (let at = 0; at < characters.length; ) {
    const piece = pieceAt.get(at);
    if (piece === undefined) {
      rest += characters[at++];
      continue;
    }
    closeRest();
    const { length } = oldCharacters[piece] as string[];
    tokens.push({ text: characters.slice(at, at + length).join(''), old: piece });
    at += length;
  }
  closeRest();
  return tokens;
}

/** A word without capitals and signs; signs alone stay. */
function toKey(word: string): string {
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

function placeTokens(tokens: readonly Token[], old: readonly Word[], { start, end }: Segment): Word[] {
  const placed: Word[] = [];
  for (let from = 0; from < tokens.length; ) {
    const token = tokens[from] as Token;
    if (token.old !== null) {
      placed.push({ ...(old[token.old] as Word), word: token.text });
      from++;
      continue;
    }
    let to = from;
    while (to < tokens.length && tokens[to]?.old === null) to++;
    const before = tokens[from - 1]?.old ?? -1;
    const after = tokens[to]?.old ?? old.length;
    const span = { start: old[before]?.end ?? start, end: old[after]?.start ?? end };
    placed.push(...shareTime(tokens.slice(from, to), old.slice(before + 1, after), span));
    from = to;
  }
  return placed;
}

/** New words in the place of old ones. @param between the neighbours, for where they take nobody's place */
function shareTime(
  tokens: readonly Token[],
  replaced: readonly Word[],
  between: { start: number; end: number },
): Word[] {
  if (tokens.length === replaced.length) {
    return replaced.map(({ start, end }, i) => ({ word: tokens[i]?.text ?? '', start, end, probability: 1 }));
  }
  const start = replaced[0]?.start ?? between.start;
  const end = Math.max(start, replaced.at(-1)?.end ?? between.end);
  const characters = tokens.reduce((sum, { text }) => sum + text.length, 0);
  let passed = 0;
  return tokens.map(({ text }) => {
    const at = (share: number) => Math.round((start + ((end - start) * share) / characters) * 1000) / 1000;
    const word = { word: text, start: at(passed), end: at(passed + text.length), probability: 1 };
    passed += text.length;
    return word;
  });
}
