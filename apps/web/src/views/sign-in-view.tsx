import { ApiError } from '@studymate/client/api-error';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import type { Messages } from '../text/en.ts';
import { toMessage } from '../text/problems.ts';

/** Asks for the key without which the API answers nothing (AUTH=keys). The browser keeps it out of our reach. */
export function SignInView({ onSignedIn }: { onSignedIn(owner: string): void }) {
  const { client } = useApp();
  const m = useMessages();
  const input = useRef<HTMLInputElement>(null);
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  useEffect(() => {
    document.title = `${m.signIn.title} · StudyMate`;
  }, [m]);

  const signIn = async () => {
    setAsking(true);
    setProblem(null);
    try {
      const { owner } = await client.signIn(input.current?.value.trim() ?? '');
      onSignedIn(owner);
    } catch (error) {
      setProblem(error);
      input.current?.select();
    } finally {
      setAsking(false);
    }
  };
  const isWrong = problem instanceof ApiError && (problem.status === 401 || problem.status === 400);
  return (
    <div class="message">
      <h1 tabIndex={-1}>{m.signIn.title}</h1>
      <form
        class="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <label for="key">{m.signIn.key}</label>
        <input
          ref={input}
          class="field"
          id="key"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="key-hint key-problem"
          aria-invalid={isWrong}
        />
        <p class="field-problem" id="key-problem" role="alert">
          {problem === null ? '' : toProblem(problem, isWrong, m)}
        </p>
        <button class="button" type="submit" disabled={isAsking}>
          {m.signIn.submit}
        </button>
      </form>
      <p id="key-hint">{m.signIn.hint}</p>
    </div>
  );
}

function toProblem(problem: unknown, isWrong: boolean, m: Messages): string {
  if (!isWrong) return toMessage(problem, m);
  return (problem as ApiError).message.includes('revoked') ? m.signIn.revoked : m.signIn.wrong;
}
