import { useMessages } from '../state/app.ts';
import { toSpanKey } from '../state/span-key.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { toClock } from '../text/format.ts';
import { Dialog } from './dialog.tsx';

/** Corrections of a text that was made anew, to be copied or thrown away. */
export function UnplacedCorrections({ editor, onClose }: { editor: TranscriptEditor; onClose(): void }) {
  const m = useMessages();
  const changes = editor.unplaced.value;
  return (
    <Dialog
      title={m.editing.unplaced(changes.length)}
      leave={m.dialog.close}
      action={{ label: m.editing.discard, isDanger: true }}
      onClose={(answer) => {
        onClose();
        if (answer !== '') editor.discardUnplaced();
      }}
    >
      <p>{m.editing.unplacedWhy}</p>
      <ol class="versions">
        {changes.map((change) => (
          <li key={toSpanKey(change)}>
            <span class="version-note">{toClock(change.start)}</span>{' '}
            <bdi>{change.text === '' ? m.editing.removed : change.text}</bdi>
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
