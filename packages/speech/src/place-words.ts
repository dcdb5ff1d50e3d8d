import type { Segment, Word } from '@studymate/contracts/transcript';

/** A word of a new text, and which of the old words it is; null: a new one. */
export interface Token {
  text: string;
  old: number | null;
}

interface Stretch {
  from: number;
  to: number;
}

/** Fifty characters a second: twice as fast as anybody speaks, and slower than most of Whisper's shortest words. */
const leastSecondsPerCharacter = 0.02;

/**
 * The words of a new text with their times. Old ones keep theirs; new ones take those of the words whose place they have, or
 * what is free between their neighbours. Where that is too short, the words at both sides share their time with them.
 */
export function placeWords(tokens: readonly Token[], old: readonly Word[], { start, end }: Segment): Word[] {
  const placed: Word[] = [];
  for (let from = 0; from < tokens.length; ) {
    const token = tokens[from] as Token;
    if (token.old !== null) {
      placed.push({ ...(old[token.old] as Word), word: token.text });
      from++;
      continue;
    }
    const to = skipNew(tokens, from);
    const before = tokens[from - 1]?.old ?? -1;
    const after = tokens[to]?.old ?? old.length;
    const between = { start: old[before]?.end ?? start, end: old[after]?.start ?? end };
    placed.push(...shareFree(tokens.slice(from, to), old.slice(before + 1, after), between));
    from = to;
  }
  return widenCrowded(placed, tokens);
}

/** The first token from `at` on that is not new. */
function skipNew(tokens: readonly Token[], at: number): number {
  let next = at;
  while (tokens[next]?.old === null) next++;
  return next;
}

/** New words in the place of old ones. @param between the neighbours, for where they take nobody's place */
function shareFree(
  tokens: readonly Token[],
  replaced: readonly Word[],
  between: { start: number; end: number },
): Word[] {
  if (tokens.length === replaced.length) {
    return replaced.map(({ start, end }, i) => ({ word: tokens[i]?.text ?? '', start, end, probability: 1 }));
  }
  const start = replaced[0]?.start ?? between.start;
  const end = Math.min(replaced.at(-1)?.end ?? between.end, between.end);
  const words = tokens.map(({ text }) => ({ word: text, start, end, probability: 1 }));
  return share(words, start, end);
}

/** The words one after the other, each as long as its letters ask for. */
function share(words: readonly Word[], start: number, end: number): Word[] {
  const length = words.reduce((sum, { word }) => sum + word.length, 0);
  const seconds = Math.max(0, end - start);
  let passed = 0;
  const next = () => Math.round((start + (seconds * passed) / length) * 1000) / 1000;
  return words.map((word) => {
    const from = next();
    passed += word.word.length;
    return { ...word, start: from, end: next() };
  });
}

/**
 * The words of a recording abut, and segments end with their last one, so what was put in between or behind often has no time
 * of its own. Then more and more of the words at both sides share theirs with it, up to the whole segment.
 */
function widenCrowded(words: readonly Word[], tokens: readonly Token[]): Word[] {
  const lengths = [0];
  for (const { word } of words) lengths.push((lengths.at(-1) as number) + word.length);
  const startOf = ({ from }: Stretch) => words[from]?.start ?? 0;
  // Where a word begins before the one in front of it has ended, the order of the beginnings counts.
  const endOf = ({ to }: Stretch) => Math.min(words[to - 1]?.end ?? 0, words[to]?.start ?? Number.POSITIVE_INFINITY);
  const isCrowded = (stretch: Stretch) => {
    const length = (lengths[stretch.to] as number) - (lengths[stretch.from] as number);
    return endOf(stretch) - startOf(stretch) < length * leastSecondsPerCharacter;
  };
  const crowded: Stretch[] = [];
  for (let from = 0; from < words.length; ) {
    let stretch = { from, to: skipNew(tokens, from) };
    from = Math.max(stretch.to, from + 1);
    if (stretch.to === stretch.from || !isCrowded(stretch)) continue;
    while (isCrowded(stretch) && stretch.to - stretch.from < words.length) {
      // Two that meet share as one, so that each word is looked at once.
      const met = crowded.at(-1)?.to === stretch.from ? crowded.pop() : undefined;
      const to = skipNew(tokens, Math.min(stretch.to + 1, words.length));
      stretch = { from: met?.from ?? Math.max(stretch.from - 1, 0), to };
    }
    crowded.push(stretch);
    from = stretch.to;
  }
  const placed = [...words];
  for (const stretch of crowded) {
    const shared = share(words.slice(stretch.from, stretch.to), startOf(stretch), endOf(stretch));
    placed.splice(stretch.from, shared.length, ...shared);
  }
  return placed;
}
