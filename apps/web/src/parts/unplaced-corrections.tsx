import { useEffect, useRef } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { toSpanKey } from '../state/span-key.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { toClock } from '../text/format.ts';

/** Corrections of a text that was made anew, to be copied or thrown away. */
export function UnplacedCorrections({ editor, onClose }: { editor: TranscriptEditor; onClose(): void }) {
  const m = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const changes = editor.unplaced.value;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="unplaced-title" onClose={onClose}>
      <h2 id="unplaced-title">{m.editing.unplaced(changes.length)}</h2>
      <p>{m.editing.unplacedWhy}</p>
      <ol class="versions">
        {changes.map((change) => (
          <li key={toSpanKey(change)}>
            <span class="version-note">{toClock(change.start)}</span>{' '}
            <bdi>{change.text === '' ? m.editing.removed : change.text}</bdi>
          </li>
        ))}
      </ol>
      <div class="dialog-buttons">
        <button class="button" type="button" onClick={() => dialog.current?.close()}>
          {m.dialog.close}
        </button>
        <button
          class="button is-danger"
          type="button"
          onClick={() => {
            dialog.current?.close();
            editor.discardUnplaced();
          }}
        >
          {m.editing.discard}
        </button>
      </div>
    </dialog>
  );
}
