import type { TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { useEffect, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import type { Messages } from '../text/en.ts';
import { toDay } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';
import { Dialog } from './dialog.tsx';

/** The answer that asks for the newest version instead of an earlier one. */
const newest = 'newest';

/** All versions of a text, newest first, and the way back to each. */
export function TranscriptVersions({ editor, onClose }: { editor: TranscriptEditor; onClose(): void }) {
  const m = useMessages();
  const [versions, setVersions] = useState<readonly TranscriptVersionInfo[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    let isOver = false;
    editor.listVersions().then(
      (found) => !isOver && setVersions(found),
      (error) => !isOver && setProblem(error),
    );
    return () => {
      isOver = true;
    };
  }, [editor]);
  const shown = editor.readVersion();
  return (
    <Dialog
      title={m.editing.versions}
      startsWithTitle
      leave={m.dialog.close}
      onClose={(answer) => {
        onClose();
        if (answer === newest) void editor.catchUp();
        else if (answer !== '') void editor.restore(Number(answer));
      }}
    >
      {versions === null && <p class="placeholder">{problem === null ? m.editing.asking : toMessage(problem, m)}</p>}
      <ol class="versions">
        {versions?.map((version, i) => (
          <li key={version.version} class="version">
            <span class="version-name">{toName(version, m)}</span>
            <span class="version-note">{toNote(version, m)}</span>
            {version.version === shown ? (
              <span class="version-note">{m.editing.current}</span>
            ) : i === 0 ? (
              <VersionButton label={m.editing.show} name={toName(version, m)} value={newest} />
            ) : (
              <VersionButton label={m.editing.restore} name={toName(version, m)} value={version.version} />
            )}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

/** Closes the dialog with its value. */
function VersionButton({ label, name, value }: { label: string; name: string; value: string | number }) {
  return (
    <button class="button is-small" type="submit" value={value} aria-label={`${label}: ${name}`}>
      {label}
    </button>
  );
}

function toName({ version }: TranscriptVersionInfo, { editing }: Messages): string {
  return version === 0 ? editing.machine : editing.version(version);
}

function toNote({ version, createdAt, changedSegments, restoredFrom }: TranscriptVersionInfo, m: Messages): string {
  const day = toDay(createdAt, m);
  if (version === 0) return day;
  const from = restoredFrom === undefined ? null : m.editing.restoredFrom(restoredFrom);
  return [day, m.editing.corrected(changedSegments), from].filter((part) => part !== null).join(' · ');
}
