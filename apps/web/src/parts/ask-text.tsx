import { useEffect, useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';

/** Asks for a line of text, such as a title. Escape means no. @param props.onAnswer null for no */
export function AskText(props: {
  title: string;
  label: string;
  initial: string;
  action: string;
  maxLength: number;
  onAnswer(text: string | null): void;
}) {
  const m = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const answer = useRef<string | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    field.current?.select();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="ask-title" onClose={() => props.onAnswer(answer.current)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer.current = field.current?.value.trim() || null;
          dialog.current?.close();
        }}
      >
        <h2 id="ask-title">{props.title}</h2>
        <label class="field-label" for="ask-field">
          {props.label}
        </label>
        <input
          ref={field}
          class="field"
          id="ask-field"
          dir="auto"
          autocomplete="off"
          required
          maxLength={props.maxLength}
          defaultValue={props.initial}
        />
        <div class="dialog-buttons">
          <button class="button" type="button" onClick={() => dialog.current?.close()}>
            {m.dialog.cancel}
          </button>
          <button class="button is-main" type="submit">
            {props.action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
