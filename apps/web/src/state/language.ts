import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { en, type Messages } from '../text/en.ts';
import { createLanguageNames } from '../text/format.ts';
import { recall, remember } from './browser-memory.ts';

export const languages = [
  { code: 'en', name: 'English' },
  { code: 'ar', name: 'العربية' },
] as const;
export type LanguageCode = (typeof languages)[number]['code'];

export interface Language {
  code: ReadonlySignal<LanguageCode>;
  messages: ReadonlySignal<Messages>;
  /** What a language is called in it, by its ISO 639-1 code. */
  toName(code: string): string;
  /** Stays so in this browser. Without a connection the language stays as it was. */
  choose(code: LanguageCode): Promise<void>;
}

const storageKey = 'studymate.language';

/** English is there at once, other languages are loaded when they are wanted. */
const loaders: Readonly<Record<LanguageCode, () => Promise<Messages>>> = {
  en: async () => en,
  ar: async () => (await import('../text/ar.ts')).ar,
};

/** @returns once the language that was chosen, or that the browser prefers, is there */
export async function createLanguage(preferred: readonly string[]): Promise<Language> {
  const code = signal<LanguageCode>('en');
  const messages = signal<Messages>(en);
  const show = async (wanted: LanguageCode) => {
    try {
      messages.value = await loaders[wanted]();
      code.value = wanted;
    } catch {
      // The file could not be fetched.
    }
  };
  const names = computed(() => createLanguageNames(messages.value));
  await show(findLanguage([recall(storageKey) ?? '', ...preferred]));
  return {
    code,
    messages,
    toName: (language) => names.value(language),
    async choose(wanted) {
      remember(storageKey, wanted);
      await show(wanted);
    },
  };
}

/** The first one that there is. @param wanted codes such as "ar-EG" */
export function findLanguage(wanted: readonly string[]): LanguageCode {
  for (const tag of wanted) {
    const found = languages.find(({ code }) => tag.toLowerCase().split('-')[0] === code);
    if (found !== undefined) return found.code;
  }
  return 'en';
}
