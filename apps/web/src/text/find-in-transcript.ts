import { findAt } from './transcript-text.ts';

/** A place in the text of one of the segments; `offset` is a UTF-16 index. */
export interface TextPlace {
  segment: number;
  offset: number;
}

/** What was found, from its first character to behind its last one, which may stand in a later segment. */
export interface TextMatch {
  from: TextPlace;
  to: TextPlace;
}

/** The text of segments, one behind the other, as it is compared: without case, marks and doubled spaces. */
export interface Findable {
  folded: string;
  /** Of each UTF-16 unit of `folded`: where its character begins and ends in all texts, each with one space behind it. */
  from: readonly number[];
  to: readonly number[];
  /** Where each segment begins in all texts. */
  starts: readonly { start: number }[];
}

const maxMatches = 999;
const marks = /\p{M}/gu;

/** "É" → "e", "أَ" → "ا", "ﬁ" → "fi"; nothing for a mark that stands by itself. */
function fold(character: string): string {
  return character.normalize('NFKD').replace(marks, '').toLowerCase();
}

export function toFindable(segments: readonly { text: string }[]): Findable {
  const known = new Map<string, string>();
  const from: number[] = [];
  const to: number[] = [];
  const starts: { start: number }[] = [];
  let folded = '';
  let at = 0;
  for (const { text } of segments) {
    starts.push({ start: at });
    for (const character of `${text} `) {
      let plain = known.get(character);
      if (plain === undefined) {
        plain = /\s/.test(character) ? ' ' : fold(character);
        known.set(character, plain);
      }
      const end = at + character.length;
      if (plain === '' && to.length > 0) to[to.length - 1] = end;
      else if (plain !== ' ' || !folded.endsWith(' ')) {
        for (let i = 0; i < plain.length; i++) {
          from.push(at);
          to.push(end);
        }
        folded += plain;
      }
      at = end;
    }
  }
  return { folded, from, to, starts };
}

/** All places where a text stands, the first ones of very many; none for spaces alone. */
export function findMatches({ folded, from, to, starts }: Findable, text: string): TextMatch[] {
  const wanted = [...text.trim()].map(fold).join('').replace(/\s+/g, ' ');
  const matches: TextMatch[] = [];
  if (wanted === '') return matches;
  for (let at = folded.indexOf(wanted); at >= 0 && matches.length < maxMatches; ) {
    const last = at + wanted.length - 1;
    matches.push({ from: toPlace(starts, from[at] ?? 0), to: toPlace(starts, (to[last] ?? 1) - 1, 1) });
    at = folded.indexOf(wanted, last + 1);
  }
  return matches;
}

/** @param more is added to the offset: an end stands behind its character, in the same segment */
function toPlace(starts: Findable['starts'], at: number, more = 0): TextPlace {
  const segment = findAt(starts, at);
  return { segment, offset: at - (starts[segment]?.start ?? 0) + more };
}
