import { useEffect, useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { Dialog } from './dialog.tsx';

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
  const field = useRef<HTMLInputElement>(null);
  // After the dialog's own effect, which shows it: what is hidden cannot be selected.
  useEffect(() => field.current?.select(), []);
  return (
    <Dialog
      title={props.title}
      leave={m.dialog.cancel}
      action={{ label: props.action }}
      onClose={(answer) => props.onAnswer(answer === '' ? null : field.current?.value.trim() || null)}
    >
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
    </Dialog>
  );
}
