import type { ReadonlySignal } from '@preact/signals';
import type { Lecture } from '@studymate/contracts/lecture';
import { useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { hasEnded, isStale } from '../state/lecture-state.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import type { Messages } from '../text/en.ts';
import { toMessage } from '../text/problems.ts';
import { Confirm } from './confirm.tsx';
import { Icon } from './icon.tsx';
import { TranscriptVersions } from './transcript-versions.tsx';

interface EditBarProps {
  editor: TranscriptEditor;
  /** The index of the row that is being said, -1 for none. */
  row: ReadonlySignal<number>;
  lecture: Lecture | null;
  onScrollTo(index: number): void;
  onMakeAgain(): void;
  onClose(): void;
}

/** What one can do with the corrections of a text, and where one stands with them. */
export function EditBar(props: EditBarProps) {
  const m = useMessages();
  const { editor, row, lecture, onScrollTo, onMakeAgain } = props;
  const [asked, setAsked] = useState<'versions' | 'discard' | null>(null);
  const changed = editor.changes.value.size;
  const phase = editor.phase.value;
  const isBusy = phase === 'saving';
  const uncertain = editor.uncertain.value;
  const take = (step: () => number | null) => {
    const id = step();
    if (id !== null && editor.field.peek() === null) onScrollTo(id);
  };
  const toUncertain = () => editor.openUncertain(editor.field.peek()?.id ?? row.peek(), 1);
  return (
    <div class="edit-bar">
      <fieldset class="edit-tools" aria-label={m.editing.title}>
        <IconButton
          name="undo"
          label={m.editing.undo}
          isOff={!editor.canUndo.value}
          onClick={() => take(editor.undo)}
        />
        <IconButton
          name="redo"
          label={m.editing.redo}
          isOff={!editor.canRedo.value}
          onClick={() => take(editor.redo)}
        />
        <button
          class="button is-small"
          type="button"
          title={m.editing.uncertainKeys}
          disabled={uncertain === 0}
          onClick={toUncertain}
        >
          {m.editing.uncertain(uncertain)}
        </button>
        <IconButton name="versions" label={m.editing.versions} onClick={() => setAsked('versions')} />
        <button
          class="button is-small is-main"
          type="button"
          disabled={changed === 0 || isBusy || phase === 'behind'}
          onClick={() => void editor.save()}
        >
          {m.editing.save}
        </button>
        <IconButton name="failed" label={m.editing.close} onClick={props.onClose} />
      </fieldset>
      <div class="edit-state">
        <p role="status">{toState(editor, m) ?? <span class="edit-hint">{m.editing.hint}</span>}</p>
        {phase === 'behind' && (
          <button class="link" type="button" onClick={() => void editor.catchUp()}>
            {m.editing.catchUp}
          </button>
        )}
        {changed > 0 && phase !== 'behind' && (
          <button class="link" type="button" disabled={isBusy} onClick={() => setAsked('discard')}>
            {m.editing.discard}
          </button>
        )}
        {changed === 0 &&
          lecture !== null &&
          hasEnded(lecture) &&
          lecture.stages.some((stage) => isStale(lecture, stage)) && (
            <button class="link" type="button" onClick={onMakeAgain}>
              {m.parts.makeAgain}
            </button>
          )}
      </div>
      {asked === 'versions' && <TranscriptVersions editor={editor} onClose={() => setAsked(null)} />}
      {asked === 'discard' && (
        <Confirm
          title={m.editing.discardTitle}
          text={m.editing.discardText(changed)}
          keep={m.editing.keep}
          action={m.editing.discard}
          onAnswer={(isYes) => {
            setAsked(null);
            if (isYes) editor.discard();
          }}
        />
      )}
    </div>
  );
}

/** One line about where one stands; null before anything was done. */
function toState(editor: TranscriptEditor, m: Messages): string | null {
  const { editing } = m;
  const changed = editor.changes.value.size;
  const contested = editor.contested.value;
  const problem = editor.problem.value;
  if (editor.phase.value === 'saving') return editing.saving;
  if (editor.phase.value === 'behind') return editing.behind;
  if (problem !== null) return toMessage(problem, m);
  if (contested > 0) return editing.contested(contested);
  if (changed > 0) return editing.changed(changed);
  const saved = editor.saved.value;
  return saved === null ? null : editing.saved(saved);
}

function IconButton(props: {
  name: Parameters<typeof Icon>[0]['name'];
  label: string;
  isOff?: boolean;
  onClick(): void;
}) {
  return (
    <button
      class="button is-small edit-icon"
      type="button"
      aria-label={props.label}
      title={props.label}
      disabled={props.isOff === true}
      onClick={props.onClick}
    >
      <Icon name={props.name} />
    </button>
  );
}
