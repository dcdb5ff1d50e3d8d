import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditedTranscript, TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { findWord, unsureBelow } from '../text/transcript-text.ts';
import type { DraftMemory, DraftOf } from './draft-memory.ts';
import { createDraftNotes } from './draft-notes.ts';
import {
  type Change,
  type Changes,
  type Difference,
  emptyDraft,
  findDifferences,
  findUncertain,
  isContested,
  isOf,
  isUncertain,
  place,
  rebase,
  redo,
  type TextDraft,
  textOf,
  toExcess,
  toTidy,
  toUnsaved,
  undo,
  withOwn,
  withStep,
  withText,
} from './text-draft.ts';
import { createTranscriptSaving, type EditorPhase, type Refused, type TranscriptStore } from './transcript-saving.ts';

/** The field in which a segment is written; a number that changes makes a new one with an undo of its own. */
export interface OpenField {
  id: number;
  key: number;
  /** The text that is marked in it, where the first doubt is; null: the cursor stands at its end. */
  selected: { from: number; to: number } | null;
}

export interface TranscriptEditor {
  changes: ReadonlySignal<Changes>;
  field: ReadonlySignal<OpenField | null>;
  phase: ReadonlySignal<EditorPhase>;
  /** Changes that have no place in today's text, which was made anew. They are not sent. */
  unplaced: ReadonlySignal<readonly Change[]>;
  /** Whether this browser keeps what is not saved. */
  isKept: ReadonlySignal<boolean>;
  /** Why the last thing could not be done; null once something else was done. */
  problem: ReadonlySignal<unknown>;
  /** The segment for which the last save was refused, and why, in the API's words; null for none. */
  refused: ReadonlySignal<Refused | null>;
  /** The version that was saved last in this window; null before. */
  saved: ReadonlySignal<number | null>;
  canUndo: ReadonlySignal<boolean>;
  canRedo: ReadonlySignal<boolean>;
  /** How many segments one should still look at. */
  uncertain: ReadonlySignal<number>;
  /** How many changes are of segments that somebody else has changed since. */
  contested: ReadonlySignal<number>;
  /** How many changes are too long to be saved. */
  tooLong: ReadonlySignal<number>;
  /** How many changes wait, with those that have no place now. */
  unsaved: ReadonlySignal<number>;
  open(id: number, selected?: OpenField['selected']): void;
  /** Opens the next segment to look at, or the one before. */
  openUncertain(from: number, by: 1 | -1): void;
  /** The field has another text. */
  type(text: string): void;
  /** What was typed becomes one step. */
  commit(): void;
  closeField(): void;
  /** Takes the last step back. @returns the segment that it was in; null when there is none */
  undo(): number | null;
  redo(): number | null;
  /** What the machine has heard, in the place of what a person wrote. */
  revert(id: number): Promise<void>;
  /** What somebody else has saved, in the place of one's own. */
  takeNewer(id: number): void;
  /** One has seen what somebody else has saved, and one's own is to take its place. */
  keepOwn(id: number): void;
  /** Saves all but what is too long, the first of which is opened, or the one that is refused. */
  save(): Promise<void>;
  /** Shows the version that somebody else has saved, with one's own changes on it. */
  catchUp(): Promise<void>;
  discard(): void;
  discardUnplaced(): void;
  listVersions(): Promise<TranscriptVersionInfo[]>;
  /** The version that is shown; another window may have saved a newer one. */
  readVersion(): number;
  /** What another version says elsewise than the one that is shown. */
  compare(version: number): Promise<readonly Difference[]>;
  /** Another version's text becomes the newest; changes stay on it. */
  restore(version: number): Promise<void>;
  /** What is not saved stays in this browser. */
  close(): void;
}

export interface TranscriptEditorDeps {
  draftOf: DraftOf;
  /** What is shown, in order. */
  segments: ReadonlySignal<readonly Segment[]>;
  readVersion(): number;
  memory: Pick<DraftMemory, 'note' | 'isKept'>;
  /** What was left from an earlier visit. */
  left: readonly Change[];
  store: TranscriptStore;
  /** Shows what an edit has made of the text. */
  onEdited(edited: EditedTranscript): void;
  /** Fetches the newest text and shows it. */
  refresh(): Promise<void>;
}

/** Corrections of a lecture's text, on the version that is shown, until they are saved as the next one. */
export function createTranscriptEditor(deps: TranscriptEditorDeps): TranscriptEditor {
  const { segments, store, memory } = deps;
  const atFirst = place(deps.left, segments.peek());
  const draft = signal({ ...emptyDraft, changes: atFirst.changes });
  const unplaced = signal(atFirst.unplaced);
  const field = signal<OpenField | null>(null);
  const changes = computed(() => rebase(draft.value.changes, segments.value));
  const unsaved = computed(() => [...toUnsaved(draft.value.changes, segments.value).values(), ...unplaced.value]);
  const { note, noteSoon } = createDraftNotes({ ...deps, readUnsaved: () => unsaved.peek() });
  let lastKey = 0;
  /** The text of the open field before it was typed into; null: nothing was typed since the last step. */
  let before: string | null = null;
  let machine: Promise<readonly Segment[]> | null = null;

  const lineOf = (id: number | undefined) => (id === undefined ? undefined : segments.peek()[id]);
  const openLine = () => lineOf(field.peek()?.id);
  const setDraft = (next: TextDraft) => {
    draft.value = next;
    saving.problem.value = null;
  };
  /** The text was made anew below what is written. */
  const stopPlacing = effect(() => {
    const lines = segments.value;
    const { changes } = draft.peek();
    if ([...changes].every(([id, change]) => lines[id] === undefined || isOf(change, lines[id]))) return;
    const now = place([...changes.values(), ...unplaced.peek()], lines);
    batch(() => {
      draft.value = { ...emptyDraft, changes: now.changes };
      unplaced.value = now.unplaced;
      field.value = null;
    });
  });
  const commit = () => {
    const line = openLine();
    if (line === undefined || before === null) return;
    const after = textOf(draft.peek().changes, line);
    if (after !== before) draft.value = withStep(draft.peek(), line, before, after);
    before = null;
    note();
  };
  const openField = (id: number, selected: OpenField['selected']) => {
    const line = lineOf(id);
    if (line === undefined) return;
    lastKey += 1;
    before = null;
    field.value = { id, key: lastKey, selected };
  };
  const open = (id: number, selected: OpenField['selected'] = null) =>
    batch(() => {
      commit();
      openField(id, selected);
    });
  const setText = (id: number, text: string) => {
    const line = lineOf(id);
    if (line === undefined) return;
    batch(() => {
      commit();
      setDraft(withStep(draft.peek(), line, textOf(draft.peek().changes, line), text));
      // With the new text, and an undo that knows nothing of the old one.
      if (field.peek()?.id === id) openField(id, null);
      note();
    });
  };
  const step = (take: typeof undo): number | null =>
    batch(() => {
      commit();
      const taken = take(draft.peek(), segments.peek());
      if (taken === null) return null;
      setDraft(taken.draft);
      if (field.peek() !== null) openField(taken.id, null);
      note();
      return taken.id;
    });
  const saving = createTranscriptSaving({ ...deps, draft, commit, note });
  const isTooLong = (id: number, change: Change) => {
    const line = segments.value[id];
    return line !== undefined && toExcess(change, line) > 0;
  };
  const tooLong = computed(() => [...changes.value].filter(([id, change]) => isTooLong(id, change)).map(([id]) => id));

  return {
    changes,
    field,
    unplaced,
    isKept: memory.isKept,
    phase: saving.phase,
    problem: saving.problem,
    refused: saving.refused,
    saved: saving.saved,
    canUndo: computed(() => draft.value.done.length > 0),
    canRedo: computed(() => draft.value.undone.length > 0),
    uncertain: computed(() => segments.value.filter((each) => isUncertain(each, changes.value.get(each.id))).length),
    contested: computed(
      () => [...changes.value].filter(([id, change]) => isContested(change, segments.value[id] as Segment)).length,
    ),
    tooLong: computed(() => tooLong.value.length),
    unsaved: computed(() => unsaved.value.length),
    open,
    openUncertain(from, by) {
      commit();
      const at = findUncertain(segments.peek(), changes.peek(), from, by);
      const segment = lineOf(at);
      if (segment !== undefined)
        openField(
          at,
          // In one's own text the machine's words stand nowhere.
          changes.peek().has(at) ? null : findWord(segment, ({ probability }) => probability < unsureBelow),
        );
    },
    type(text) {
      const line = openLine();
      if (line === undefined) return;
      before ??= textOf(draft.peek().changes, line);
      const next = withText(draft.peek().changes, line, toTidy(text));
      setDraft({ ...draft.peek(), changes: next });
      // Back where it began: what somebody else saves below it is no step.
      if (textOf(next, line) === before) before = null;
      noteSoon();
    },
    commit,
    closeField: () =>
      batch(() => {
        commit();
        field.value = null;
      }),
    undo: () => step(undo),
    redo: () => step(redo),
    async revert(id) {
      machine ??= store.readText(0);
      const line = lineOf(id);
      const written = line && textOf(draft.peek().changes, line);
      try {
        const text = (await machine)[id]?.text ?? '';
        const now = lineOf(id);
        // Whoever has written on meanwhile wants that.
        if (now !== undefined && textOf(draft.peek().changes, now) === written) setText(id, text);
      } catch (error) {
        machine = null;
        saving.problem.value = error;
      }
    },
    takeNewer: (id) => setText(id, lineOf(id)?.text ?? ''),
    keepOwn(id) {
      const line = lineOf(id);
      if (line === undefined) return;
      draft.value = { ...draft.peek(), changes: withOwn(draft.peek().changes, line) };
      noteSoon();
    },
    async save() {
      const isSaved = await saving.save(
        () => new Map([...changes.peek()].filter(([id]) => !tooLong.peek().includes(id))),
      );
      const refused = isSaved ? tooLong.peek()[0] : saving.refused.peek()?.id;
      if (refused !== undefined) open(refused);
    },
    async catchUp() {
      await saving.catchUp();
    },
    discard: () =>
      batch(() => {
        setDraft(emptyDraft);
        field.value = null;
        before = null;
        note();
      }),
    discardUnplaced() {
      unplaced.value = [];
      note();
    },
    listVersions: store.listVersions,
    readVersion: deps.readVersion,
    compare: async (version) => findDifferences(segments.peek(), await store.readText(version)),
    async restore(version) {
      await saving.restore(version);
    },
    close() {
      stopPlacing();
      commit();
      note();
    },
  };
}
