import type { Segment, Word } from '@studymate/contracts/transcript';

/** A piece of a segment's text; `word` is null for what stands between words. */
export interface TextPiece {
  text: string;
  word: Word | null;
}

/** Words of which the model is less sure than this are marked; about every second one of them is wrong. */
export const unsureBelow = 0.5;

/**
 * A segment's text with its words found in it, so that spacing and punctuation stay as they were written, also in
 * scripts without spaces. A word that is not in the text is left out; the text is always whole.
 */
export function splitByWords({ text, words }: Pick<Segment, 'text' | 'words'>): TextPiece[] {
  const pieces: TextPiece[] = [];
  let cursor = 0;
  for (const word of words) {
    const at = word.word === '' ? -1 : text.indexOf(word.word, cursor);
    if (at < 0) continue;
    if (at > cursor) pieces.push({ text: text.slice(cursor, at), word: null });
    pieces.push({ text: word.word, word });
    cursor = at + word.word.length;
  }
  if (cursor < text.length) pieces.push({ text: text.slice(cursor), word: null });
  return pieces;
}

/** Where the first word of a kind stands in a segment's text; null for none. */
export function findWord(
  { text, words }: Pick<Segment, 'text' | 'words'>,
  isWanted: (word: Word) => boolean,
): { from: number; to: number } | null {
  let cursor = 0;
  for (const piece of splitByWords({ text, words })) {
    if (piece.word !== null && isWanted(piece.word)) return { from: cursor, to: cursor + piece.text.length };
    cursor += piece.text.length;
  }
  return null;
}

/** The index of the last item that has begun at a time, -1 before the first. Items are in order of `start`. */
export function findAt(items: readonly { start: number }[], seconds: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.start ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
