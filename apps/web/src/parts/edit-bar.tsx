import { type ReadonlySignal, useSignalEffect } from '@preact/signals';
import type { Lecture } from '@studymate/contracts/lecture';
import { useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { hasEnded, isStale } from '../state/lecture-state.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { toEditingStatus } from '../text/editing-status.ts';
import { Confirm } from './confirm.tsx';
import { useEditingKeys } from './editing-keys.ts';
import { Icon } from './icon.tsx';
import { useFocusAfter } from './lost-focus.ts';
import { TranscriptVersions } from './transcript-versions.tsx';
import { UnplacedCorrections } from './unplaced-corrections.tsx';

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
  const [asked, setAsked] = useState<'versions' | 'discard' | 'unplaced' | null>(null);
  const state = useRef<HTMLParagraphElement>(null);
  const keepFocus = useFocusAfter(state);
  const changed = editor.changes.value.size;
  const phase = editor.phase.value;
  const isBusy = phase === 'saving';
  const language = lecture?.language ?? undefined;
  const uncertain = editor.uncertain.value;
  const take = (step: () => number | null) => {
    const id = step();
    if (id !== null && editor.field.peek() === null) onScrollTo(id);
  };
  /** Where one was: the search for what is unsure goes on there. */
  const last = useRef(-1);
  useSignalEffect(() => {
    last.current = editor.field.value?.id ?? last.current;
  });
  const toUncertain = (by: 1 | -1) => {
    const now = editor.field.peek()?.id ?? row.peek();
    editor.openUncertain(now >= 0 ? now : last.current, by);
  };
  useEditingKeys({
    undo: () => take(editor.undo),
    redo: () => take(editor.redo),
    save: () => void editor.save(),
    nextUncertain: () => toUncertain(1),
    previousUncertain: () => toUncertain(-1),
  });
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
          {...toAction(() => toUncertain(1), uncertain === 0)}
        >
          {m.editing.uncertain(uncertain)}
        </button>
        <IconButton name="versions" label={m.editing.versions} onClick={() => setAsked('versions')} />
        <button
          class="button is-small is-main"
          type="button"
          {...toAction(() => void editor.save(), changed === 0 || isBusy || phase === 'behind')}
        >
          {m.editing.save}
        </button>
        <IconButton name="failed" label={m.editing.close} onClick={props.onClose} />
      </fieldset>
      <div class="edit-state">
        <p ref={state} role="status" tabIndex={-1}>
          {toEditingStatus(editor, m) ?? <span class="edit-hint">{m.editing.hint}</span>}
        </p>
        {phase === 'behind' && (
          <button
            class="link"
            type="button"
            onClick={() => {
              keepFocus();
              void editor.catchUp();
            }}
          >
            {m.editing.catchUp}
          </button>
        )}
        {changed > 0 && phase !== 'behind' && (
          <button class="link" type="button" {...toAction(() => setAsked('discard'), isBusy)}>
            {m.editing.discard}
          </button>
        )}
        {editor.unplaced.value.length > 0 && (
          <button class="link" type="button" onClick={() => setAsked('unplaced')}>
            {m.editing.unplaced(editor.unplaced.value.length)}
          </button>
        )}
        {changed === 0 &&
          lecture !== null &&
          hasEnded(lecture) &&
          lecture.stages.some((stage) => isStale(lecture, stage)) && (
            <button
              class="link"
              type="button"
              onClick={() => {
                keepFocus();
                onMakeAgain();
              }}
            >
              {m.parts.makeAgain}
            </button>
          )}
      </div>
      {asked === 'versions' && (
        <TranscriptVersions editor={editor} language={language} onClose={() => setAsked(null)} />
      )}
      {asked === 'unplaced' && (
        <UnplacedCorrections
          corrections={editor.unplaced.value}
          why={m.editing.unplacedWhy}
          language={language}
          onClose={() => setAsked(null)}
          onDiscard={editor.discardUnplaced}
        />
      )}
      {asked === 'discard' && (
        <Confirm
          title={m.editing.discardTitle}
          text={m.editing.discardText(changed)}
          keep={m.editing.keep}
          action={m.editing.discard}
          onAnswer={(isYes) => {
            setAsked(null);
            if (!isYes) return;
            keepFocus();
            editor.discard();
          }}
        />
      )}
    </div>
  );
}

/** A button that can be off and keeps the focus then: whoever has pressed it by keyboard goes on from there. */
function toAction(act: () => void, isOff: boolean) {
  return { 'aria-disabled': isOff, onClick: () => isOff || act() };
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
      {...toAction(props.onClick, props.isOff === true)}
    >
      <Icon name={props.name} />
    </button>
  );
}
