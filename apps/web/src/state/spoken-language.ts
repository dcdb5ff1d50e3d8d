import { type ReadonlySignal, signal } from '@preact/signals';
import { recall, remember } from './browser-memory.ts';

/** Languages that lectures are often held in; the API takes all that Whisper knows. ISO 639-1. */
export const spokenLanguages: readonly string[] = [
  ...['ar', 'bn', 'cs', 'da', 'de', 'el', 'en', 'es', 'fa', 'fi', 'fr', 'he', 'hi', 'hu', 'id', 'it', 'ja', 'ko', 'ms'],
  ...['nl', 'no', 'pl', 'pt', 'ro', 'ru', 'sv', 'sw', 'ta', 'th', 'tl', 'tr', 'uk', 'ur', 'vi', 'zh'],
];

/** The language of the recordings that are added from now on; what was last chosen stays in this browser. */
export interface SpokenLanguage {
  /** null: to be found out. */
  code: ReadonlySignal<string | null>;
  choose(code: string | null): void;
}

const storageKey = 'studymate.spoken-language';

export function createSpokenLanguage(): SpokenLanguage {
  const known = (code: string | null) => (code !== null && spokenLanguages.includes(code) ? code : null);
  const code = signal(known(recall(storageKey)));
  return {
    code,
    choose(chosen) {
      code.value = known(chosen);
      remember(storageKey, code.value);
    },
  };
}
