import type { TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import type { Messages } from '../text/en.ts';
import { toDay } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';

/** All versions of a text, newest first, and the way back to each. */
export function TranscriptVersions({ editor, onClose }: { editor: TranscriptEditor; onClose(): void }) {
  const m = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  const [versions, setVersions] = useState<readonly TranscriptVersionInfo[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    let isOver = false;
    dialog.current?.showModal();
    editor.listVersions().then(
      (found) => !isOver && setVersions(found),
      (error) => !isOver && setProblem(error),
    );
    return () => {
      isOver = true;
    };
  }, [editor]);
  const shown = editor.readVersion();
  const showNewest = () => {
    dialog.current?.close();
    void editor.catchUp();
  };
  const restore = (version: number) => {
    dialog.current?.close();
    void editor.restore(version);
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="versions-title" onClose={onClose}>
      <h2 id="versions-title">{m.editing.versions}</h2>
      {versions === null && <p class="placeholder">{problem === null ? m.editing.asking : toMessage(problem, m)}</p>}
      <ol class="versions">
        {versions?.map((version, i) => (
          <li key={version.version} class="version">
            <span class="version-name">{toName(version, m)}</span>
            <span class="version-note">{toNote(version, m)}</span>
            {version.version === shown ? (
              <span class="version-note">{m.editing.current}</span>
            ) : i === 0 ? (
              <VersionButton label={m.editing.show} name={toName(version, m)} onClick={showNewest} />
            ) : (
              <VersionButton
                label={m.editing.restore}
                name={toName(version, m)}
                onClick={() => restore(version.version)}
              />
            )}
          </li>
        ))}
      </ol>
      <div class="dialog-buttons">
        <button class="button" type="button" onClick={() => dialog.current?.close()}>
          {m.dialog.close}
        </button>
      </div>
    </dialog>
  );
}

function VersionButton({ label, name, onClick }: { label: string; name: string; onClick(): void }) {
  return (
    <button class="button is-small" type="button" aria-label={`${label}: ${name}`} onClick={onClick}>
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
