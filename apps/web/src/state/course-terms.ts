import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { parseGlossary } from '@studymate/contracts/glossary';
import { recall, remember } from './browser-memory.ts';

export interface CourseTerms {
  text: ReadonlySignal<string>;
  /** How many they are, or what is wrong with them. */
  checked: ReadonlySignal<{ count: number; problem: string }>;
  write(text: string): void;
  /** @throws AppError that says what is wrong with them */
  read(): string[];
}

const storageKey = 'studymate.course-terms';

/** Names and terms that the recogniser should know; what was last written stays in this browser. */
export function createCourseTerms(): CourseTerms {
  const text = signal(recall(storageKey) ?? '');
  const checked = computed(() => {
    try {
      return { count: parseGlossary(text.value).length, problem: '' };
    } catch (error) {
      return { count: 0, problem: toGlossaryProblem(error) };
    }
  });
  return {
    text,
    checked,
    write(written) {
      text.value = written;
      remember(storageKey, written === '' ? null : written);
    },
    read: () => parseGlossary(text.value),
  };
}

export function toGlossaryProblem(error: unknown): string {
  return (error as Error).message.replace(/^glossary: /, '');
}
