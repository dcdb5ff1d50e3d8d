import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { createStore, delMany, entries, type UseStore, update } from 'idb-keyval';
import { toSpanKey } from './span-key.ts';
import type { Change } from './text-draft.ts';

/** Whose corrections of which lecture. */
export interface DraftOf {
  owner: string;
  lectureId: string;
}

export interface RememberedDraft extends DraftOf {
  changedAt: number;
  /** By the stretch that they are of. */
  changes: ReadonlyMap<string, Change>;
}

/** What a window has written for a stretch. @property before what it knew there; null: nothing */
export interface DraftNote {
  before: Change | null;
  /** null: nothing any more. Where another window has written since, that stays. */
  after: Change | null;
}

/** Corrections of transcripts that are not saved yet, in this browser. Nothing of it fails. */
export interface DraftMemory {
  /** Whether this browser keeps all that was noted; what it does not keep is here as long as the page. */
  isKept: ReadonlySignal<boolean>;
  read(draftOf: DraftOf): Promise<readonly Change[]>;
  note(draftOf: DraftOf, notes: readonly DraftNote[]): Promise<void>;
  /** A person's lectures with corrections that are not saved, the last one first. */
  list(owner: string): Promise<readonly { lectureId: string; count: number }[]>;
  /** A lecture that is no more. */
  forget(draftOf: DraftOf): Promise<void>;
  /** Those of a person. @param owner null: not known who, so none */
  forgetAll(owner: string | null): Promise<void>;
}

/** What keeps them: IndexedDB, but for tests. */
export interface DraftStore {
  entries(): Promise<[string, RememberedDraft][]>;
  update(key: string, toNext: (before: RememberedDraft | undefined) => RememberedDraft): Promise<void>;
  delete(keys: string[]): Promise<void>;
}

/** For those who never come back: a month, and so many lectures. */
const maxAgeMs = 30 * 86_400_000;
const maxDrafts = 50;

export function createDraftMemory(store: DraftStore = createBrowserStore()): DraftMemory {
  /** What could not be kept, until it can. */
  const unkept = signal<ReadonlyMap<string, RememberedDraft & { notes: readonly DraftNote[] }>>(new Map());
  /** Who has signed out: what a view that is being closed still tells of them is not kept. */
  const gone = new Set<string>();
  const toKey = ({ owner, lectureId }: DraftOf) => `${lectureId} ${owner}`;
  const setUnkept = (key: string, draftOf: DraftOf, notes: readonly DraftNote[]) => {
    const next = new Map(unkept.peek());
    next.delete(key);
    if (notes.length > 0) next.set(key, { ...draftOf, changedAt: Date.now(), changes: new Map(), notes });
    unkept.value = next;
  };
  const read = async (): Promise<Map<string, RememberedDraft>> => {
    const all = new Map(await store.entries().catch(() => []));
    for (const [key, { notes, ...draft }] of unkept.peek()) {
      all.set(key, { ...draft, changes: withNotes(all.get(key)?.changes, notes) });
    }
    return all;
  };
  const tidyUp = async (all: ReadonlyMap<string, RememberedDraft>) => {
    const newest = [...all].sort(([, a], [, b]) => b.changedAt - a.changedAt);
    const oldest = Date.now() - maxAgeMs;
    const old = newest.filter(([, draft], i) => i >= maxDrafts || draft.changedAt < oldest || draft.changes.size === 0);
    if (old.length > 0) await store.delete(old.map(([key]) => key)).catch(() => {});
  };
  const forget = async (isToGo: (draft: RememberedDraft) => boolean) => {
    const keys = [...(await read())].filter(([, draft]) => isToGo(draft)).map(([key]) => key);
    unkept.value = new Map([...unkept.peek()].filter(([key]) => !keys.includes(key)));
    await store.delete(keys).catch(() => {});
  };
  return {
    isKept: computed(() => unkept.value.size === 0),
    async read(draftOf) {
      gone.delete(draftOf.owner);
      const all = await read();
      await tidyUp(all);
      return [...(all.get(toKey(draftOf))?.changes.values() ?? [])];
    },
    async note(draftOf, noted) {
      const { owner, lectureId } = draftOf;
      if (gone.has(owner)) return;
      const key = toKey(draftOf);
      // With what could not be kept before; of two that come at once each sees the other's.
      const notes = [...(unkept.peek().get(key)?.notes ?? []), ...noted];
      try {
        await store.update(key, (before) => ({
          owner,
          lectureId,
          changedAt: Date.now(),
          changes: withNotes(before?.changes, notes),
        }));
        if (unkept.peek().has(key)) setUnkept(key, draftOf, []);
      } catch (error) {
        // No IndexedDB, or no room.
        console.warn('Corrections are not kept in this browser.', error);
        if (!gone.has(owner)) setUnkept(key, draftOf, [...(unkept.peek().get(key)?.notes ?? []), ...noted]);
      }
    },
    async list(owner) {
      const own = [...(await read()).values()].filter((draft) => draft.owner === owner && draft.changes.size > 0);
      return own
        .sort((a, b) => b.changedAt - a.changedAt)
        .map(({ lectureId, changes }) => ({ lectureId, count: changes.size }));
    },
    forget: ({ owner, lectureId }) => forget((draft) => draft.owner === owner && draft.lectureId === lectureId),
    async forgetAll(owner) {
      if (owner === null) return;
      gone.add(owner);
      await forget((draft) => draft.owner === owner);
    },
  };
}

function withNotes(changes: RememberedDraft['changes'] | undefined, notes: readonly DraftNote[]) {
  const next = new Map(changes);
  for (const { before, after } of notes) {
    if (after !== null) next.set(toSpanKey(after), after);
    else if (before !== null && next.get(toSpanKey(before))?.text === before.text) next.delete(toSpanKey(before));
  }
  return next;
}

function createBrowserStore(): DraftStore {
  let made: UseStore | undefined;
  const store = () => {
    made ??= createStore('studymate-corrections', 'texts');
    return made;
  };
  return {
    entries: async () => entries<string, RememberedDraft>(store()),
    update: async (key, toNext) => update<RememberedDraft>(key, toNext, store()),
    delete: async (keys) => delMany(keys, store()),
  };
}
