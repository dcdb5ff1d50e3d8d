import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditedTranscript, EditTranscript, TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { isAway } from '../text/problems.ts';
import { findWord, unsureBelow } from '../text/transcript-text.ts';
import type { DraftMemory, DraftOf } from './draft-memory.ts';
import { createDraftNotes } from './draft-notes.ts';
import {
  type Change,
  type Changes,
  emptyDraft,
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
  withoutLanded,
  withoutSaved,
  withStep,
  withText,
} from './text-draft.ts';

/** Where one stands with the changes. `behind`: a newer version was saved meanwhile, and is not shown yet. */
export type EditorPhase = 'open' | 'saving' | 'behind';

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
  /** Saves all but what is too long, the first of which is opened. */
  save(): Promise<void>;
  /** Shows the version that somebody else has saved, with one's own changes on it. */
  catchUp(): Promise<void>;
  discard(): void;
  discardUnplaced(): void;
  listVersions(): Promise<TranscriptVersionInfo[]>;
  /** The version that is shown; another window may have saved a newer one. */
  readVersion(): number;
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
  store: {
    readMachine(): Promise<readonly Segment[]>;
    save(segments: EditTranscript['segments'], version: number): Promise<EditedTranscript>;
    restore(to: number, version: number): Promise<EditedTranscript>;
    listVersions(): Promise<TranscriptVersionInfo[]>;
  };
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
  const phase = signal<EditorPhase>('open');
  const problem = signal<unknown>(null);
  const saved = signal<number | null>(null);
  const changes = computed(() => rebase(draft.value.changes, segments.value));
  const unsaved = computed(() => [...toUnsaved(draft.value.changes, segments.value).values(), ...unplaced.value]);
  const { note, noteSoon } = createDraftNotes({ ...deps, readUnsaved: () => unsaved.peek() });
  let lastKey = 0;
  /** The text of the open field before it was typed into; null: nothing was typed since the last step. */
  let before: string | null = null;
  let machine: Promise<readonly Segment[]> | null = null;
  /** What was sent without an answer: it may have been saved. */
  let lost: Changes | null = null;

  const lineOf = (id: number | undefined) => (id === undefined ? undefined : segments.peek()[id]);
  const openLine = () => lineOf(field.peek()?.id);
  const setDraft = (next: TextDraft) => {
    draft.value = next;
    problem.value = null;
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
  /** Does something with the API; what it refuses is shown. */
  const ask = async (work: () => Promise<void>) => {
    if (phase.peek() === 'saving') return;
    commit();
    phase.value = 'saving';
    problem.value = null;
    try {
      await work();
      phase.value = 'open';
    } catch (error) {
      const isBehind = isMismatch(error);
      phase.value = isBehind ? 'behind' : 'open';
      if (!isBehind) problem.value = error;
    }
  };
  const show = (edited: EditedTranscript, sent: Changes) =>
    batch(() => {
      deps.onEdited(edited);
      draft.value = { ...draft.peek(), changes: withoutSaved(draft.peek().changes, sent, segments.peek()) };
      saved.value = edited.version;
      note();
    });
  const send = async (sent: Changes) => {
    // With its place: where it was transcribed anew meanwhile, the number is another segment's.
    const texts = [...sent].map(([id, { text, start, end }]) => ({ id, text, start, end }));
    try {
      show(await store.save(texts, deps.readVersion()), sent);
      lost = null;
    } catch (error) {
      if (!isMismatch(error) || lost === null) {
        if (isAway(error)) lost = new Map([...(lost ?? []), ...sent]);
        throw error;
      }
      // The newer version may be what was sent before.
      await deps.refresh();
      draft.value = { ...draft.peek(), changes: withoutLanded(draft.peek().changes, lost, segments.peek()) };
      lost = null;
      if (changes.peek().size === 0) saved.value = deps.readVersion();
      note();
    }
  };
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
    phase,
    problem,
    saved,
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
      machine ??= store.readMachine();
      const line = lineOf(id);
      const written = line && textOf(draft.peek().changes, line);
      try {
        const text = (await machine)[id]?.text ?? '';
        const now = lineOf(id);
        // Whoever has written on meanwhile wants that.
        if (now !== undefined && textOf(draft.peek().changes, now) === written) setText(id, text);
      } catch (error) {
        machine = null;
        problem.value = error;
      }
    },
    takeNewer: (id) => setText(id, lineOf(id)?.text ?? ''),
    keepOwn(id) {
      const line = lineOf(id);
      if (line === undefined) return;
      draft.value = { ...draft.peek(), changes: withOwn(draft.peek().changes, line) };
      noteSoon();
    },
    save: () =>
      ask(async () => {
        const [refused] = tooLong.peek();
        const sent = new Map([...changes.peek()].filter(([id]) => !tooLong.peek().includes(id)));
        if (sent.size > 0) await send(sent);
        if (refused !== undefined) open(refused);
      }),
    catchUp: () => ask(deps.refresh),
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
    restore: (version) =>
      ask(async () => {
        const edited = await store.restore(version, deps.readVersion());
        show(edited, new Map());
      }),
    close() {
      stopPlacing();
      commit();
      note();
    },
  };
}

function isMismatch(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'version_mismatch';
}
