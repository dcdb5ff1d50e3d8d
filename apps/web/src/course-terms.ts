import { parseGlossary } from '@studymate/contracts/glossary';
import { el, setText } from './dom.ts';

export interface CourseTerms {
  element: HTMLElement;
  /** What stands in the field. @throws AppError that says what is wrong with it */
  read(): string[];
}

const storageKey = 'studymate.course-terms';

/** A field for names and terms that the recogniser should know; what was last written stays in this browser. */
export function createCourseTerms(): CourseTerms {
  const hint = el('p', { class: 'terms-hint', id: 'terms-hint' }, [
    'Names and terms that will be said, as they should be spelt, one a line. For the recordings that you add from now on.',
  ]);
  const problem = el('p', { class: 'field-problem', id: 'terms-problem', role: 'alert' });
  const attributes = {
    class: 'field',
    id: 'terms',
    dir: 'auto',
    'aria-describedby': 'terms-hint terms-problem',
  } as const;
  const field = el('textarea', attributes, [], {
    input() {
      remember(field.value);
      check();
    },
  });
  field.value = recall();
  field.rows = 5;
  field.spellcheck = false;
  const count = el('span', { class: 'terms-count' });
  const summary = el('summary', {}, ['Course terms', count]);
  const label = el('label', { class: 'visually-hidden' }, ['Course terms, one a line']);
  label.htmlFor = field.id;

  const check = () => {
    let found = '';
    try {
      const { length } = parseGlossary(field.value);
      setText(count, length === 0 ? '' : ` (${length})`);
    } catch (error) {
      found = (error as Error).message.replace(/^glossary: /, '');
    }
    setText(problem, found);
    field.setAttribute('aria-invalid', String(found !== ''));
  };
  check();

  return {
    element: el('details', { class: 'terms' }, [summary, label, field, hint, problem]),
    read: () => parseGlossary(field.value),
  };
}

function recall(): string {
  try {
    return localStorage.getItem(storageKey) ?? '';
  } catch {
    // A browser that keeps nothing.
    return '';
  }
}

function remember(text: string): void {
  try {
    localStorage.setItem(storageKey, text);
  } catch {
    // It lasts as long as the page, then.
  }
}
