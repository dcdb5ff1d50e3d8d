import { type ReadonlySignal, signal } from '@preact/signals';
import { recall, remember } from './browser-memory.ts';

/** Whose page it is. */
export interface Person {
  /** Whose key it is; "local" where there are none, null before it is known. */
  name: ReadonlySignal<string | null>;
  /** The API has said who it is. */
  meet(name: string): void;
  /** They have signed out here; the other windows of the browser are told. @returns who it was */
  leave(): string | null;
}

const storageKey = 'studymate.person';
const channelName = 'studymate';

/**
 * @param deps.onOther somebody else than the last time: what the other one has typed is not for them
 * @param deps.onLeft somebody has signed out in another window; null: not known who
 */
export function createPerson(deps: { onOther(): void; onLeft(name: string | null): void }): Person {
  const name = signal<string | null>(null);
  const windows = 'BroadcastChannel' in window ? new BroadcastChannel(channelName) : null;
  windows?.addEventListener('message', ({ data }: MessageEvent<{ left: string | null }>) => {
    name.value = null;
    deps.onLeft(data.left);
  });
  return {
    name,
    meet(met) {
      const last = recall(storageKey);
      if (last !== null && last !== met) deps.onOther();
      remember(storageKey, met);
      name.value = met;
    },
    leave() {
      const left = name.peek() ?? recall(storageKey);
      name.value = null;
      remember(storageKey, null);
      windows?.postMessage({ left });
      return left;
    },
  };
}
