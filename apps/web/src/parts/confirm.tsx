import { useEffect, useRef } from 'preact/hooks';

/** Asks before something that cannot be undone. Escape and the first button mean no. */
export function Confirm(props: {
  title: string;
  text: string;
  keep: string;
  action: string;
  onAnswer(isYes: boolean): void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="dialog-title"
      onClose={(event) => props.onAnswer(event.currentTarget.returnValue === 'yes')}
    >
      <h2 id="dialog-title" dir="auto">
        {props.title}
      </h2>
      <p>{props.text}</p>
      <div class="dialog-buttons">
        <button class="button" type="button" onClick={() => dialog.current?.close()}>
          {props.keep}
        </button>
        <button class="button is-danger" type="button" onClick={() => dialog.current?.close('yes')}>
          {props.action}
        </button>
      </div>
    </dialog>
  );
}
