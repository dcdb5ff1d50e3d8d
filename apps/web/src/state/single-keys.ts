import { type ReadonlySignal, signal } from '@preact/signals';
import { recall, remember } from './browser-memory.ts';

/**
 * Whether a letter, digit or sign that is pressed alone does something. Whoever dictates, or hits keys by mistake, must be
 * able to switch that off (WCAG 2.2, 2.1.4: https://www.w3.org/TR/WCAG22/#character-key-shortcuts).
 */
export interface SingleKeys {
  areOn: ReadonlySignal<boolean>;
  /** Stays so in this browser. */
  choose(areOn: boolean): void;
}

const storageKey = 'studymate.single-keys';

export function createSingleKeys(): SingleKeys {
  const areOn = signal(recall(storageKey) !== 'off');
  return {
    areOn,
    choose(wanted) {
      areOn.value = wanted;
      remember(storageKey, wanted ? null : 'off');
    },
  };
}

/** Space and keys with a name, such as the arrows, do not count. @param key a `KeyboardEvent.key` */
export function isSingleKey(key: string): boolean {
  return key !== ' ' && [...key].length === 1;
}
