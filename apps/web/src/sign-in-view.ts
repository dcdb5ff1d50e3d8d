import { ApiError } from '@studymate/client/api-error';
import type { StudyMateClient } from '@studymate/client/client';
import { el, setAttribute, setText } from './dom.ts';
import { toMessage } from './problems.ts';
import type { View } from './view.ts';

/** Asks for the key without which the API answers nothing (AUTH=keys). The browser keeps it out of our reach. */
export function createSignInView(deps: { client: StudyMateClient; onSignedIn(): void }): View {
  const over = new AbortController();
  const input = el('input', {
    class: 'field',
    id: 'key',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    'aria-describedby': 'key-hint key-problem',
  });
  const label = el('label', {}, ['Your key']);
  label.htmlFor = input.id;
  const problem = el('p', { class: 'field-problem', id: 'key-problem', role: 'alert' });
  const submit = el('button', { class: 'button', type: 'submit' }, ['Sign in']);

  const signIn = async () => {
    submit.disabled = true;
    setText(problem, '');
    try {
      await deps.client.signIn(input.value.trim(), { signal: over.signal });
      if (!over.signal.aborted) deps.onSignedIn();
    } catch (error) {
      if (over.signal.aborted) return;
      const isWrong = error instanceof ApiError && (error.status === 401 || error.status === 400);
      setAttribute(input, 'aria-invalid', isWrong);
      setText(problem, isWrong ? `This key does not work. ${toHint(error)}` : toMessage(error));
      input.select();
    } finally {
      submit.disabled = false;
    }
  };

  const element = el('div', { class: 'message' }, [
    el('h1', { tabindex: -1 }, ['Sign in']),
    el('form', { class: 'sign-in' }, [label, input, problem, submit], {
      submit(event) {
        event.preventDefault();
        void signIn();
      },
    }),
    el('p', { id: 'key-hint' }, [
      'Whoever runs this StudyMate gives you a key; it begins with “sm_”. This browser remembers it for 30 days.',
    ]),
  ]);
  return { element, title: 'Sign in · StudyMate', isApp: false, close: () => over.abort() };
}

function toHint(error: ApiError): string {
  return error.message.includes('revoked') ? 'It was revoked.' : 'Is it complete?';
}
