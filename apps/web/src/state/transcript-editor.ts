import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditedTranscript, EditTranscript, TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { findWord, unsureBelow } from '../text/transcript-text.ts';
import type { DraftMemory } from './draft-memory.ts';
import {
  type Changes,
  emptyDraft,
  findUncertain,
  isContested,
  isUncertain,
  rebase,
  redo,
  textOf,
  toTidy,
  undo,
  withOwn,
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
  save(): Promise<void>;
  /** Shows the version that somebody else has saved, with one's own changes on it. */
  catchUp(): Promise<void>;
  discard(): void;
  listVersions(): Promise<TranscriptVersionInfo[]>;
  /** The version that is shown; another window may have saved a newer one. */
  readVersion(): number;
  /** Another version's text becomes the newest; changes stay on it. */
  restore(version: number): Promise<void>;
  /** What is not saved stays in this browser. */
  close(): void;
}

export interface TranscriptEditorDeps {
  lectureId: string;
  owner: string;
  /** What is shown, in order. */
  segments: ReadonlySignal<readonly Segment[]>;
  readVersion(): number;
  memory: Pick<DraftMemory, 'note'>;
  /** What was left from an earlier visit. */
  left: Changes;
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

/** Often enough that a closed tab costs no sentence. */
const noteAfterMs = 300;

/** Corrections of a lecture's text, on the version that is shown, until they are saved as the next one. */
export function createTranscriptEditor(deps: TranscriptEditorDeps): TranscriptEditor {
  const { segments, store, memory } = deps;
  const draft = signal({ ...emptyDraft, changes: rebase(deps.left, segments.peek()) });
  const field = signal<OpenField | null>(null);
  const phase = signal<EditorPhase>('open');
  const problem = signal<unknown>(null);
  const saved = signal<number | null>(null);
  const changes = computed(() => rebase(draft.value.changes, segments.value));
  let lastKey = 0;
  /** The text of the open field before it was typed into. */
  let before = '';
  let machine: Promise<readonly Segment[]> | null = null;
  let noted = deps.left;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const lineOf = (id: number | undefined) => (id === undefined ? undefined : segments.peek()[id]);
  const openLine = () => lineOf(field.peek()?.id);
  /** Tells the memory what is other than when it was told the last time. */
  const note = () => {
    clearTimeout(timer);
    // While it is transcribed anew nothing can be said of what was written.
    if (segments.peek().length === 0) return;
    const now = changes.peek();
    const ids = new Set([...noted.keys(), ...now.keys()]);
    const changed = [...ids].filter((id) => noted.get(id)?.text !== now.get(id)?.text);
    noted = now;
    if (changed.length === 0) return;
    void memory.note(deps.owner, deps.lectureId, new Map(changed.map((id) => [id, now.get(id) ?? null])));
  };
  const noteSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(note, noteAfterMs);
  };
  const commit = () => {
    const line = openLine();
    if (line === undefined) return;
    const text = textOf(draft.peek().changes, line);
    if (text === before) return;
    const after = toTidy(text);
    draft.value = withStep(draft.peek(), line, before, after);
    before = after;
    note();
  };
  const openField = (id: number, selected: OpenField['selected']) => {
    const line = lineOf(id);
    if (line === undefined) return;
    lastKey += 1;
    before = textOf(draft.peek().changes, line);
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
      draft.value = withStep(draft.peek(), line, textOf(draft.peek().changes, line), text);
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
      draft.value = taken.draft;
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
      // What stands in the open field may be another text now; that is no step.
      const line = openLine();
      if (line !== undefined && !draft.peek().changes.has(line.id)) before = line.text;
    } catch (error) {
      const isBehind = error instanceof ApiError && error.code === 'version_mismatch';
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

  return {
    changes,
    field,
    phase,
    problem,
    saved,
    canUndo: computed(() => draft.value.done.length > 0),
    canRedo: computed(() => draft.value.undone.length > 0),
    uncertain: computed(() => segments.value.filter((each) => isUncertain(each, changes.value.get(each.id))).length),
    contested: computed(
      () => [...changes.value].filter(([id, change]) => isContested(change, segments.value[id] as Segment)).length,
    ),
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
      draft.value = { ...draft.peek(), changes: withText(draft.peek().changes, line, text) };
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
        const sent = changes.peek();
        if (sent.size === 0) return;
        // With its place: where it was transcribed anew meanwhile, the number is another segment's.
        const texts = [...sent].map(([id, { text }]) => {
          const { start, end } = segments.peek()[id] as Segment;
          return { id, text, start, end };
        });
        show(await store.save(texts, deps.readVersion()), sent);
      }),
    catchUp: () => ask(deps.refresh),
    discard: () =>
      batch(() => {
        draft.value = emptyDraft;
        field.value = null;
        note();
      }),
    listVersions: store.listVersions,
    readVersion: deps.readVersion,
    restore: (version) =>
      ask(async () => {
        const edited = await store.restore(version, deps.readVersion());
        show(edited, new Map());
      }),
    close() {
      commit();
      note();
    },
  };
}
