import { useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';
import { Dialog } from './dialog.tsx';
import { TextChange } from './text-change.tsx';

interface Correction {
  start: number;
  /** What stood there when it was written. */
  from: string;
  text: string;
}

/** Corrections of a text that was made anew, to be copied or thrown away. */
export function UnplacedCorrections(props: {
  corrections: readonly Correction[];
  /** How they came to be there. */
  why: string;
  language: string | undefined;
  onClose(): void;
  onDiscard(): void;
}) {
  const m = useMessages();
  const { corrections } = props;
  return (
    <Dialog
      title={m.editing.unplaced(corrections.length)}
      leave={m.dialog.close}
      action={{ label: m.editing.discard, isDanger: true }}
      onClose={(answer) => {
        props.onClose();
        if (answer !== '') props.onDiscard();
      }}
    >
      <p>{props.why}</p>
      <ol class="versions">
        {corrections.map(({ start, from, text }, i) => (
          <TextChange key={i} start={start} before={from} after={text} language={props.language} />
        ))}
      </ol>
      <Copy text={corrections.map(({ start, text }) => `${toClock(start)} ${text}`).join('\n')} />
    </Dialog>
  );
}

/** Not where the browser lets no page copy: then it can be marked by hand. */
function Copy({ text }: { text: string }) {
  const m = useMessages();
  const [isCopied, setIsCopied] = useState(false);
  // None on http from another machine.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard === undefined) return null;
  const copy = () =>
    clipboard.writeText(text).then(
      () => setIsCopied(true),
      () => {},
    );
  return (
    <p class="copy">
      <button class="button is-small" type="button" onClick={() => void copy()}>
        {m.editing.copy}
      </button>{' '}
      <span role="status">{isCopied ? m.editing.copied : ''}</span>
    </p>
  );
}
