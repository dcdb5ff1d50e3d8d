/** A vocabulary in one piece: the bytes of token t lie from `offsets[t]` to `offsets[t + 1]`; special tokens have none. */
export interface VocabularyBytes {
  bytes: Buffer;
  offsets: Uint32Array;
}

/** How GPT-2 cuts text before byte pairs are joined (openai/gpt-2, encoder.py). Nothing is joined across a cut. */
const pieces = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * Text to tokens as byte-level BPE does it: of all neighbours the pair that makes the token with the lowest id is joined
 * first. Ids of GPT-2's vocabularies grow in the order in which the pairs were learnt, so no list of pairs is needed
 * (openai/tiktoken does the same). Meant for short texts: the work grows with the square of a word's length.
 * @returns a function from text to ids; bytes that are no token by themselves are left out
 */
export function createBytePairEncoder({ bytes, offsets }: VocabularyBytes): (text: string) => number[] {
  const tokenBytes = (id: number) => bytes.subarray(offsets[id] as number, offsets[id + 1] as number);
  // Ids sorted by their bytes: a map with fifty thousand strings takes 5 MB, this 0.2.
  let sorted: Uint32Array | null = null;
  const find = (wanted: Buffer): number | null => {
    sorted ??= sortIds(offsets.length - 1, tokenBytes);
    let low = 0;
    let high = sorted.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const id = sorted[middle] as number;
      const order = Buffer.compare(tokenBytes(id), wanted);
      if (order === 0) return id;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return null;
  };

  const encodePiece = (piece: Buffer): number[] => {
    /** Where each part begins, and the end of the last. */
    const borders = Array.from({ length: piece.length + 1 }, (_, i) => i);
    const idOf = (part: number, partCount: number) =>
      find(piece.subarray(borders[part] as number, borders[part + partCount] as number));
    while (borders.length > 2) {
      let best = Number.POSITIVE_INFINITY;
      let at = 0;
      for (let part = 0; part + 2 < borders.length; part++) {
        const id = idOf(part, 2);
        if (id === null || id >= best) continue;
        best = id;
        at = part;
      }
      if (best === Number.POSITIVE_INFINITY) break;
      borders.splice(at + 1, 1);
    }
    const ids: number[] = [];
    for (let part = 0; part + 1 < borders.length; part++) {
      const id = idOf(part, 1);
      if (id !== null) ids.push(id);
    }
    return ids;
  };
  return (text) => (text.match(pieces) ?? []).flatMap((piece) => encodePiece(Buffer.from(piece, 'utf8')));
}

function sortIds(count: number, tokenBytes: (id: number) => Buffer): Uint32Array {
  const ids = Array.from({ length: count }, (_, id) => id).filter((id) => tokenBytes(id).length > 0);
  return Uint32Array.from(ids.sort((a, b) => Buffer.compare(tokenBytes(a), tokenBytes(b))));
}
