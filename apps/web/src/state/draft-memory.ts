import { createStore, delMany, entries, get, type UseStore, update } from 'idb-keyval';
import type { Change, Changes } from './text-draft.ts';

interface RememberedDraft {
  owner: string;
  changedAt: number;
  changes: Changes;
}

/** Corrections of transcripts that are not saved yet, in this browser. Nothing of it fails. */
export interface DraftMemory {
  read(owner: string, lectureId: string): Promise<Changes>;
  /** Several windows may be at the same lecture: each tells of its own segments. @param changed null: forgotten */
  note(owner: string, lectureId: string, changed: ReadonlyMap<number, Change | null>): Promise<void>;
  /** Those of a person. @param owner null: not known who, so all */
  forgetAll(owner: string | null): Promise<void>;
}

/** For those who never come back: a month, and so many lectures. */
const maxAgeMs = 30 * 86_400_000;
const maxDrafts = 50;

export function createDraftMemory(): DraftMemory {
  let made: UseStore | undefined;
  const store = () => {
    made ??= createStore('studymate-drafts', 'texts');
    return made;
  };
  /** Who has signed out: what a view that is being closed still tells of them is not kept. */
  const gone = new Set<string>();
  const toKey = (owner: string, lectureId: string) => `${lectureId} ${owner}`;
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch {
      // No IndexedDB, or no room: it lives as long as the page.
      return otherwise;
    }
  };
  const tidyUp = async () => {
    const all = (await entries<string, RememberedDraft>(store())).sort(([, a], [, b]) => b.changedAt - a.changedAt);
    const oldest = Date.now() - maxAgeMs;
    const old = all.filter(([, draft], i) => i >= maxDrafts || draft.changedAt < oldest || draft.changes.size === 0);
    await delMany(
      old.map(([key]) => key),
      store(),
    );
  };
  return {
    read: (owner, lectureId) =>
      attempt(async () => {
        gone.delete(owner);
        await tidyUp();
        return (await get<RememberedDraft>(toKey(owner, lectureId), store()))?.changes ?? new Map();
      }, new Map()),
    note: (owner, lectureId, changed) =>
      attempt(async () => {
        if (gone.has(owner)) return;
        const toNext = (before: RememberedDraft | undefined): RememberedDraft => {
          const changes = new Map(before?.changes);
          for (const [id, change] of changed) {
            if (change === null) changes.delete(id);
            else changes.set(id, change);
          }
          return { owner, changedAt: Date.now(), changes };
        };
        await update<RememberedDraft>(toKey(owner, lectureId), toNext, store());
      }, undefined),
    forgetAll: (person) =>
      attempt(async () => {
        if (person !== null) gone.add(person);
        const all = await entries<string, RememberedDraft>(store());
        const own = all.filter(([, { owner }]) => person === null || owner === person);
        await delMany(
          own.map(([key]) => key),
          store(),
        );
      }, undefined),
  };
}
