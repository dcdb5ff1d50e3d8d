import type { Segment } from '@studymate/contracts/transcript';
import { unsureBelow } from '../text/transcript-text.ts';

/** What somebody has written for a segment and not saved yet. */
export interface Change {
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

type Line = Pick<Segment, 'id' | 'text'>;

export const emptyDraft: TextDraft = { changes: new Map(), done: [], undone: [] };

/** A segment is one line without needless spaces. */
export function toTidy(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}

/** What stands in a segment's place: pure, as all of this file. */
export function textOf(changes: Changes, { id, text }: Line): string {
  return changes.get(id)?.text ?? text;
}

/** Another text for a segment, without a step: as it is typed. */
export function withText(changes: Changes, line: Line, text: string): Changes {
  const after = new Map(changes);
  if (text === line.text) after.delete(line.id);
  else after.set(line.id, { text, from: changes.get(line.id)?.from ?? line.text });
  return after;
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
  const changes = withText(draft.changes, line, step.before);
  return { id: step.id, draft: { changes, done: draft.done.slice(0, -1), undone: [...draft.undone, step] } };
}

/** The same with the step that was undone last. */
export function redo(draft: TextDraft, lines: readonly Line[]): { draft: TextDraft; id: number } | null {
  const step = draft.undone.at(-1);
  const line = step && lines[step.id];
  if (step === undefined || line === undefined) return null;
  const changes = withText(draft.changes, line, step.after);
  return { id: step.id, draft: { changes, done: [...draft.done, step], undone: draft.undone.slice(0, -1) } };
}

/**
 * Changes against the text as it stands now: what stands there already is none any more, and what stands nowhere is lost.
 * @param lines of the newest version, in order
 */
export function rebase(changes: Changes, lines: readonly Line[]): Changes {
  return new Map([...changes].filter(([id, { text }]) => lines[id] !== undefined && lines[id].text !== text));
}

/** Changes after a save: without those that were sent, and on the text that stands there now. */
export function withoutSaved(changes: Changes, sent: Changes, lines: readonly Line[]): Changes {
  const left = [...changes].filter(([id, { text }]) => sent.get(id)?.text !== text);
  return rebase(new Map(left.map(([id, { text }]) => [id, { text, from: lines[id]?.text ?? '' }])), lines);
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
