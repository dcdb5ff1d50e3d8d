import type { ReadonlySignal } from '@preact/signals';
import type { StudyMateClient } from '@studymate/client/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Messages } from '../text/en.ts';
import type { CourseList } from './course-list.ts';
import type { CourseTerms } from './course-terms.ts';
import type { DraftMemory } from './draft-memory.ts';
import type { Language } from './language.ts';
import type { Notices } from './notices.ts';
import type { Places } from './places.ts';
import type { Recorder } from './recorder.ts';
import type { SingleKeys } from './single-keys.ts';
import type { SpokenLanguage } from './spoken-language.ts';
import type { Uploads } from './uploads.ts';

/** What every part of the page may use; made once, in main.tsx. */
export interface App {
  client: StudyMateClient;
  notices: Notices;
  uploads: Uploads;
  recorder: Recorder;
  courses: CourseList;
  drafts: DraftMemory;
  /** Whose key it is; "local" where there are none, null before it is known. */
  person: ReadonlySignal<string | null>;
  /** Where lectures were left. */
  places: Places;
  terms: CourseTerms;
  spoken: SpokenLanguage;
  singleKeys: SingleKeys;
  language: Language;
  /** In the language that was chosen. */
  messages: ReadonlySignal<Messages>;
}

export const AppContext = createContext<App | null>(null);

/** @throws Error outside of the page's own tree */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error('there is no app around this part');
  return app;
}

export function useMessages(): Messages {
  return useApp().messages.value;
}
