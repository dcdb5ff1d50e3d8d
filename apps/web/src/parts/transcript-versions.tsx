import type { TranscriptVersionInfo } from '@studymate/contracts/transcript-edit';
import { useEffect, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Difference } from '../state/text-draft.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import type { Messages } from '../text/en.ts';
import { toDay } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';
import { Dialog } from './dialog.tsx';
import { TextChange } from './text-change.tsx';

/** The answer that asks for the newest version instead of an earlier one. */
const newest = 'newest';

/** More would take a while to draw, and nobody reads them here. */
const mostShown = 100;

/** All versions of a text, newest first, what each would change, and the way back to it. */
export function TranscriptVersions(props: {
  editor: TranscriptEditor;
  /** That was spoken. */
  language: string | undefined;
  onClose(): void;
}) {
  const m = useMessages();
  const { editor, language, onClose } = props;
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
          <li key={version.version}>
            <div class="version">
              <span class="version-name">{toName(version, m)}</span>
              <span class="version-note">{toNote(version, m)}</span>
              {version.version === shown ? (
                <span class="version-note">{m.editing.current}</span>
              ) : i === 0 ? (
                <VersionButton label={m.editing.show} name={toName(version, m)} value={newest} />
              ) : (
                <VersionButton label={m.editing.restore} name={toName(version, m)} value={version.version} />
              )}
            </div>
            {version.version !== shown && (
              <Differences name={toName(version, m)} find={() => editor.compare(version.version)} language={language} />
            )}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}

/** What a version says elsewise than the text that is shown; fetched when one looks. */
function Differences(props: { name: string; find(): Promise<readonly Difference[]>; language: string | undefined }) {
  const m = useMessages();
  const [found, setFound] = useState<readonly Difference[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const look = async () => {
    setProblem(null);
    try {
      setFound(await props.find());
    } catch (error) {
      setProblem(error);
    }
  };
  const note = () => {
    if (problem !== null) return toMessage(problem, m);
    if (found === null) return m.editing.starting;
    if (found.length === 0) return m.editing.same;
    return found.length > mostShown ? m.editing.differenceCount(found.length, mostShown) : null;
  };
  return (
    <details class="version-note" onToggle={({ currentTarget }) => currentTarget.open && void look()}>
      <summary aria-label={`${m.editing.difference}: ${props.name}`}>{m.editing.difference}</summary>
      <p role="status">{note()}</p>
      <ul>
        {found?.slice(0, mostShown).map((difference, i) => (
          <TextChange key={i} {...difference} language={props.language} />
        ))}
      </ul>
    </details>
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
