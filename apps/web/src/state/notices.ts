import { type ReadonlySignal, signal } from '@preact/signals';

/** The line about an API that is away, short notes, and what is read out by screen readers alone. */
export interface Notices {
  /** Why the API does not answer; null while it does. */
  problem: ReadonlySignal<unknown>;
  notes: ReadonlySignal<readonly { id: number; text: string }[]>;
  announcement: ReadonlySignal<string>;
  /** Says that the API does not answer, until `reachable` is called. */
  unreachable(error: unknown): void;
  reachable(): void;
  /** A line that goes away by itself. */
  note(text: string): void;
  announce(text: string): void;
}

const noteMs = 8_000;
/** More would cover what is below. */
const maxNotes = 3;

export function createNotices(): Notices {
  const problem = signal<unknown>(null);
  const notes = signal<readonly { id: number; text: string }[]>([]);
  const announcement = signal('');
  let lastId = 0;
  return {
    problem,
    notes,
    announcement,
    unreachable(error) {
      problem.value = error;
    },
    reachable() {
      problem.value = null;
    },
    note(text) {
      lastId += 1;
      const id = lastId;
      notes.value = [...notes.value, { id, text }].slice(-maxNotes);
      setTimeout(() => {
        notes.value = notes.value.filter((note) => note.id !== id);
      }, noteMs);
    },
    announce(text) {
      announcement.value = text;
    },
  };
}
