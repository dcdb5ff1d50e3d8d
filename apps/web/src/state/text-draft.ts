import type { Segment } from '@studymate/contracts/transcript';
import { mostCharacters } from '@studymate/contracts/transcript-limits';
import { unsureBelow } from '../text/transcript-text.ts';
import { type Span, toSpanKey } from './span-key.ts';

/** What somebody has written for a segment and not saved yet. */
export interface Change extends Span {
  text: string;
  /** What stood there when it was begun: where something else stands by now, two have changed the same. */
  from: string;
}

/** By the id of the segment. */
export type Changes = ReadonlyMap<number, Change>;

interface Step {
  id: number;
  before: string;
  after: string;
}

/** Changes with the steps that led to them, for undo and redo. */
export interface TextDraft {
  changes: Changes;
  done: readonly Step[];
  undone: readonly Step[];
}

type Line = Pick<Segment, 'id' | 'start' | 'end' | 'text'>;

/** A stretch that is heard anew in the same words begins at about the same time. */
const sameStartSeconds = 1;

export const emptyDraft: TextDraft = { changes: new Map(), done: [], undone: [] };

/** A segment is one line without needless spaces, its accents composed, without signs that nobody can see or save. */
export function toTidy(text: string): string {
  const isBetween = /\s/u;
  return text
    .normalize('NFC')
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, (signs) => (isBetween.test(signs) ? ' ' : ''))
    .trim();
}

/** What a field shows: as it is typed, as long as that is the text but for spaces. */
export function toShown(typed: string, text: string): string {
  return toTidy(typed) === toTidy(text) ? typed : text;
}

/** What stands in a segment's place: pure, as all of this file. */
export function textOf(changes: Changes, { id, text }: Line): string {
  return changes.get(id)?.text ?? text;
}

/**
 * Another text for a segment, without a step: as it is typed.
 * @param from what stood there before
 */
export function withText(changes: Changes, line: Line, text: string, from = line.text): Changes {
  const after = new Map(changes);
  const { start, end } = line;
  if (isSaid(line, text)) after.delete(line.id);
  else after.set(line.id, { start, end, text, from: changes.get(line.id)?.from ?? from });
  return after;
}

/** Whether that is the line's text. The machine may write more spaces than a person. */
function isSaid(line: Line, text: string): boolean {
  return text === line.text || text === toTidy(line.text);
}

/** @param before the text before it was typed into; the step is one, however much was typed */
export function withStep(draft: TextDraft, line: Line, before: string, after: string): TextDraft {
  const changes = withText(draft.changes, line, after);
  if (before === after) return { ...draft, changes };
  return { changes, done: [...draft.done, { id: line.id, before, after }], undone: [] };
}

/** @returns the draft without its last step, and the segment that was changed; null when there is none */
export function undo(draft: TextDraft, lines: readonly Line[]): { draft: TextDraft; id: number } | null {
  const step = draft.done.at(-1);
  const line = step && lines[step.id];
  if (step === undefined || line === undefined) return null;
  // Where somebody else's text stands by now it is one's own change of what stood there before.
  const changes = withText(draft.changes, line, step.before, step.after);
  return { id: step.id, draft: { changes, done: draft.done.slice(0, -1), undone: [...draft.undone, step] } };
}

/** The same with the step that was undone last. */
export function redo(draft: TextDraft, lines: readonly Line[]): { draft: TextDraft; id: number } | null {
  const step = draft.undone.at(-1);
  const line = step && lines[step.id];
  if (step === undefined || line === undefined) return null;
  const changes = withText(draft.changes, line, step.after, step.before);
  return { id: step.id, draft: { changes, done: [...draft.done, step], undone: draft.undone.slice(0, -1) } };
}

/**
 * Changes against the text as it stands now: what stands there already is none any more, and what is of another stretch or
 * has no line, as long as the text is not whole, waits.
 * @param lines of the newest version, in order
 */
export function rebase(changes: Changes, lines: readonly Line[]): Changes {
  return new Map([...toUnsaved(changes, lines)].filter(([id, change]) => isOf(change, lines[id])));
}

/** The same with those that wait. */
export function toUnsaved(changes: Changes, lines: readonly Line[]): Changes {
  return new Map(
    [...changes].filter(([id, change]) => {
      const line = lines[id];
      return line === undefined || !isOf(change, line) || !isSaid(line, change.text);
    }),
  );
}

/** Whether a change was made of the stretch that a line is of. */
export function isOf(change: Change, line: Line | undefined): boolean {
  return line !== undefined && change.start === line.start && change.end === line.end;
}

/**
 * Changes on a text that may have been cut into other segments since: where the same stretch is, or the same words are said at
 * about the same time. @returns `unplaced`: those that have no place there
 */
export function place(
  changes: Iterable<Change>,
  lines: readonly Line[],
): { changes: Changes; unplaced: readonly Change[] } {
  const placed = new Map<number, Change>();
  const bySpan = new Map(lines.map((line) => [toSpanKey(line), line]));
  const moved = [...changes].filter((change) => {
    const line = bySpan.get(toSpanKey(change));
    if (line !== undefined) placed.set(line.id, change);
    return line === undefined;
  });
  const unplaced = moved.filter((change) => {
    const words = toWords(change.from);
    const near = lines.filter((line) => toDistance(line, change) <= sameStartSeconds && !placed.has(line.id));
    const same = near.filter(({ text }) => toWords(text) === words);
    const [line] = same.sort((a, b) => toDistance(a, change) - toDistance(b, change));
    if (line === undefined) return true;
    const { id, start, end, text } = line;
    placed.set(id, { start, end, from: text, text: change.text });
    return false;
  });
  return { changes: placed, unplaced };
}

function toDistance(a: Span, b: Span): number {
  return Math.abs(a.start - b.start);
}

/** But for capitals, signs and spaces. */
function toWords(text: string): string {
  return toTidy(text)
    .toLowerCase()
    .replace(/[\p{P}\p{S}\s]+/gu, ' ')
    .trim();
}

/** Changes after a save: without those that were sent, and on the text that stands there now. */
export function withoutSaved(changes: Changes, sent: Changes, lines: readonly Line[]): Changes {
  const left = [...changes].filter(([id, { text }]) => sent.get(id)?.text !== text);
  return toUnsaved(
    new Map(left.map(([id, change]) => [id, { ...change, from: lines[id]?.text ?? change.from }])),
    lines,
  );
}

/** The same where the answer was lost: only what stands there as it was sent was one's own save. */
export function withoutLanded(changes: Changes, sent: Changes, lines: readonly Line[]): Changes {
  const isLanded = (id: number) => lines[id] !== undefined && sent.get(id)?.text === lines[id].text;
  const left = [...changes].map(([id, change]): [number, Change] =>
    isLanded(id) ? [id, { ...change, from: lines[id]?.text ?? '' }] : [id, change],
  );
  return toUnsaved(new Map(left), lines);
}

/** Whether it is longer than anybody speaks in that time. @returns by how many characters, 0 for not at all */
export function toExcess(change: Change | undefined, line: Line): number {
  return change === undefined ? 0 : Math.max(0, change.text.length - mostCharacters(line));
}

/** Changes of which one is meant for what stands there now. */
export function withOwn(changes: Changes, { id, text: from }: Line): Changes {
  const change = changes.get(id);
  return change === undefined ? changes : new Map(changes).set(id, { ...change, from });
}

/** Whether somebody else has changed the same segment since. */
export function isContested(change: Change | undefined, line: Line): boolean {
  return change !== undefined && change.from !== line.text;
}

/** Whether one should look at it: the model was not sure and nobody has written yet, or two have. */
export function isUncertain(segment: Segment, change: Change | undefined): boolean {
  if (change !== undefined) return isContested(change, segment);
  const { flags, words } = segment;
  if (flags.includes('edited')) return false;
  return flags.length > 0 || words.some(({ probability }) => probability < unsureBelow);
}

/** The next segment to look at, behind a place or before it, round about; -1 for none. @param by 1 or -1 */
export function findUncertain(segments: readonly Segment[], changes: Changes, from: number, by: 1 | -1): number {
  const count = segments.length;
  for (let step = 1; step <= count; step++) {
    const at = (((from + by * step) % count) + count) % count;
    const segment = segments[at];
    if (segment !== undefined && isUncertain(segment, changes.get(segment.id))) return at;
  }
  return -1;
}

/** A segment of which two versions say different things. */
export interface Difference {
  start: number;
  before: string;
  after: string;
}

/** What changes where the text of other lines takes the place of these. Both are of the same segments. */
export function findDifferences(lines: readonly Line[], others: readonly Line[]): Difference[] {
  return others.flatMap(({ id, start, text }) => {
    const before = lines[id]?.text ?? '';
    return before === text ? [] : [{ start, before, after: text }];
  });
}
