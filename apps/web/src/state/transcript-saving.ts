import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditedTranscript, EditTranscript, TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { isAway } from '../text/problems.ts';
import { type Changes, rebase, type TextDraft, withoutLanded, withoutSaved } from './text-draft.ts';

/** Where one stands with the changes. `behind`: a newer version was saved meanwhile, and is not shown yet. */
export type EditorPhase = 'open' | 'saving' | 'behind';

export interface Refused {
  id: number;
  reason: string;
}

export interface TranscriptStore {
  /** @param version 0: the machine's text */
  readText(version: number): Promise<readonly Segment[]>;
  save(segments: EditTranscript['segments'], version: number): Promise<EditedTranscript>;
  restore(to: number, version: number): Promise<EditedTranscript>;
  listVersions(): Promise<TranscriptVersionInfo[]>;
}

export interface TranscriptSavingDeps {
  draft: Signal<TextDraft>;
  /** What is shown, in order. */
  segments: ReadonlySignal<readonly Segment[]>;
  readVersion(): number;
  store: Pick<TranscriptStore, 'save' | 'restore'>;
  /** What is being typed becomes part of the draft. */
  commit(): void;
  /** Keeps the draft in this browser. */
  note(): void;
  /** Shows what an edit has made of the text. */
  onEdited(edited: EditedTranscript): void;
  /** Fetches the newest text and shows it. */
  refresh(): Promise<void>;
}

/** Sends changes, one request at a time, and takes from the draft what was saved. Nothing is thrown: see `problem`. */
export function createTranscriptSaving(deps: TranscriptSavingDeps) {
  const { draft, segments, readVersion, note } = deps;
  const phase = signal<EditorPhase>('open');
  /** Why the last thing could not be done; null once something else was done. */
  const problem = signal<unknown>(null);
  /** The version that was saved last in this window; null before. */
  const saved = signal<number | null>(null);
  /** Ids of what was sent last, in their order. */
  let sentIds: readonly number[] = [];
  /** What was sent without an answer: it may have been saved. */
  let lost: Changes | null = null;

  /** @returns whether it was done */
  const ask = async (work: () => Promise<void>): Promise<boolean> => {
    if (phase.peek() === 'saving') return false;
    deps.commit();
    phase.value = 'saving';
    problem.value = null;
    try {
      await work();
      phase.value = 'open';
      return true;
    } catch (error) {
      const isBehind = isMismatch(error);
      phase.value = isBehind ? 'behind' : 'open';
      if (!isBehind) problem.value = error;
      return false;
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
    sentIds = [...sent.keys()];
    const texts = [...sent].map(([id, { text, start, end }]) => ({ id, text, start, end }));
    try {
      show(await deps.store.save(texts, readVersion()), sent);
      lost = null;
    } catch (error) {
      if (!isMismatch(error) || lost === null) {
        if (isAway(error)) lost = new Map([...(lost ?? []), ...sent]);
        throw error;
      }
      // The newer version may be what was sent before.
      await deps.refresh();
      const left = withoutLanded(draft.peek().changes, lost, segments.peek());
      draft.value = { ...draft.peek(), changes: left };
      lost = null;
      if (rebase(left, segments.peek()).size === 0) saved.value = readVersion();
      note();
    }
  };

  return {
    phase,
    problem,
    /** The segment for which the last save was refused, and why, in the API's words; null for none. */
    refused: computed(() => findRefused(problem.value, sentIds)),
    saved,
    /** @param choose gives what to send, once all that was typed is part of the draft */
    save: (choose: () => Changes) =>
      ask(async () => {
        const sent = choose();
        if (sent.size > 0) await send(sent);
      }),
    catchUp: () => ask(deps.refresh),
    /** An earlier version's text becomes the newest; the draft stays on it. */
    restore: (version: number) => ask(async () => show(await deps.store.restore(version, readVersion()), new Map())),
  };
}

function isMismatch(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'version_mismatch';
}

/** Which of the segments that were sent a refusal names. */
function findRefused(error: unknown, ids: readonly number[]): Refused | null {
  const message = error instanceof ApiError && error.code === 'invalid_request' ? error.message : '';
  const [, place, reason = ''] = /^segments\.(\d+)\S*: (.+)$/s.exec(message) ?? [];
  const id = place === undefined ? undefined : ids[Number(place)];
  return id === undefined ? null : { id, reason };
}
