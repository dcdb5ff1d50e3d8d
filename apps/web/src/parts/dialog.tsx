import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

/** What the button that goes through with a dialog's matter gives to `onClose`. */
const done = 'done';

/**
 * A dialog over everything else. Escape and its first button leave it; what goes through with it is a button in its form,
 * whose value `onClose` gets. What is written in its fields can still be read then.
 *
 * @param props.startsWithTitle it is to be read before anything in it is used; otherwise its first field or button has the
 *   focus at first
 * @param props.leave label of the first button
 * @param props.action the button that goes through with it; Enter in a field presses it
 * @param props.onClose gets the value of the button that closed it: 'done' for the action, one of the children's, or ''
 *   when it was left
 */
export function Dialog(props: {
  title: string;
  startsWithTitle?: boolean;
  leave: string;
  action?: { label: string; isDanger?: boolean };
  children?: ComponentChildren;
  onClose(answer: string): void;
}) {
  const { action } = props;
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      onClose={({ currentTarget }) => props.onClose(currentTarget.returnValue)}
    >
      <form method="dialog">
        <h2 id={titleId} dir="auto" tabIndex={-1} autofocus={props.startsWithTitle}>
          {props.title}
        </h2>
        {props.children}
        <div class="dialog-buttons">
          <button class="button" type="button" onClick={() => dialog.current?.close()}>
            {props.leave}
          </button>
          {action !== undefined && (
            <button class={`button ${action.isDanger ? 'is-danger' : 'is-main'}`} type="submit" value={done}>
              {action.label}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}
