import type { DraftMemory, DraftOf } from './draft-memory.ts';
import { toSpanKey } from './span-key.ts';
import type { Change } from './text-draft.ts';

/** Tells the memory of what is written in this window, and only of that: other windows may be at the same text. */
export interface DraftNotes {
  note(): void;
  noteSoon(): void;
}

/** Often enough that a closed tab costs no sentence. */
const noteAfterMs = 300;

/** @param deps.left what the memory had at the beginning */
export function createDraftNotes(deps: {
  memory: Pick<DraftMemory, 'note'>;
  draftOf: DraftOf;
  left: readonly Change[];
  readUnsaved(): readonly Change[];
}): DraftNotes {
  const toBySpan = (changes: readonly Change[]) => new Map(changes.map((change) => [toSpanKey(change), change]));
  let noted = toBySpan(deps.left);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const note = () => {
    clearTimeout(timer);
    const now = toBySpan(deps.readUnsaved());
    const changed = [...new Set([...noted.keys(), ...now.keys()])].flatMap((key) => {
      const [before, after] = [noted.get(key) ?? null, now.get(key) ?? null];
      return before?.text === after?.text && before?.from === after?.from ? [] : [{ before, after }];
    });
    noted = now;
    if (changed.length > 0) void deps.memory.note(deps.draftOf, changed);
  };
  return {
    note,
    noteSoon() {
      clearTimeout(timer);
      timer = setTimeout(note, noteAfterMs);
    },
  };
}
