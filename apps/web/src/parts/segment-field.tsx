import type { Segment } from '@studymate/contracts/transcript';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Playback } from '../state/playback.ts';
import { isContested, toExcess, toShown } from '../state/text-draft.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { toClock } from '../text/format.ts';
import { type EditingAction, findAction } from './editing-keys.ts';

/** About as many characters stand on a line; browsers that know `field-sizing` fit the field by themselves. */
const charactersOfLine = 50;

interface SegmentFieldProps {
  editor: TranscriptEditor;
  segment: Segment;
  /** That was spoken. */
  language: string | undefined;
  playback: Playback;
}

/** One segment, to be written in. Its own undo comes first; behind that Ctrl+Z takes back what was done before. */
export function SegmentField(props: SegmentFieldProps) {
  // A new field for each opening: the browser's undo of the last one is not for this one.
  return <Field key={props.editor.field.value?.key} {...props} />;
}

function Field({ editor, segment, language, playback }: SegmentFieldProps) {
  const m = useMessages();
  const area = useRef<HTMLTextAreaElement>(null);
  /** What the browser itself could redo in this field. */
  const undone = useRef(0);
  const { id, start, end } = segment;
  const change = editor.changes.value.get(id);
  const text = change?.text ?? segment.text;
  const opened = useRef(text);
  const [typed, setTyped] = useState(text);
  const shown = toShown(typed, text);
  const excess = toExcess(change, segment);
  const refused = editor.refused.value?.id === id ? editor.refused.value.reason : null;
  const wrong = excess > 0 ? m.editing.tooLongBy(excess) : refused;
  const wrongId = useId();
  const clock = toClock(start);
  const conflict = isContested(change, segment) ? `newer-${id}` : undefined;
  // Before the next key: its letter is for this field.
  useLayoutEffect(() => {
    const { current } = area;
    const selected = editor.field.peek()?.selected ?? { from: text.length, to: text.length };
    current?.focus({ preventScroll: true });
    current?.setSelectionRange(selected.from, selected.to);
    current?.closest('.segment')?.scrollIntoView({ block: 'nearest' });
  }, []);

  const leave = () => {
    const row = area.current?.closest('.segment');
    editor.closeField();
    // After it has been drawn without the field.
    requestAnimationFrame(() => row?.querySelector<HTMLElement>('.icon-button')?.focus());
  };
  const keepOwn = () => {
    editor.keepOwn(id);
    area.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    const act = findAction(event, { isUntouched: shown === opened.current, canRedoInField: undone.current > 0 });
    if (act === null) return;
    event.preventDefault();
    event.stopPropagation();
    actions[act]();
  };
  const actions: Record<EditingAction, () => void> = {
    leave,
    play: () => playback.playSpan(start, end),
    next: () => editor.open(id + 1),
    previous: () => editor.open(id - 1),
    nextUncertain: () => editor.openUncertain(id, 1),
    previousUncertain: () => editor.openUncertain(id, -1),
    undo: () => void editor.undo(),
    redo: () => void editor.redo(),
    save: () => void editor.save(),
  };
  return (
    <div class="segment-body">
      {/* The row has the direction of its text (`dir="auto"`), and what stands in a field does not count for that. */}
      <span hidden>{text}</span>
      <textarea
        ref={area}
        class="field segment-field"
        dir="auto"
        lang={language}
        rows={Math.max(2, Math.ceil(text.length / charactersOfLine))}
        aria-label={m.editing.textAt(clock)}
        aria-invalid={wrong !== null}
        aria-describedby={[conflict, wrong !== null && wrongId].filter(Boolean).join(' ') || undefined}
        value={shown}
        onInput={({ currentTarget, inputType }) => {
          const by: Record<string, number> = { historyUndo: 1, historyRedo: -1 };
          undone.current = inputType in by ? undone.current + (by[inputType] ?? 0) : 0;
          setTyped(currentTarget.value);
          editor.type(currentTarget.value);
        }}
        onBlur={editor.commit}
        onKeyDown={onKey}
      />
      {wrong !== null && (
        <p id={wrongId} class="segment-wrong">
          {wrong}
        </p>
      )}
      {conflict !== undefined && (
        <div class="segment-newer">
          <p id={conflict}>
            <span>{m.editing.newer}</span>{' '}
            {segment.text === '' ? m.editing.removed : <bdi lang={language}>{segment.text}</bdi>}
          </p>
          <button class="link" type="button" onClick={() => editor.takeNewer(id)}>
            {m.editing.takeNewer}
          </button>
          <button class="link" type="button" onClick={keepOwn}>
            {m.editing.keepOwn}
          </button>
        </div>
      )}
      <div class="segment-actions">
        <button class="button is-small" type="button" title={m.editing.playKeys} onClick={actions.play}>
          {m.editing.play}
        </button>
        {(change !== undefined || segment.flags.includes('edited')) && (
          <button class="button is-small" type="button" onClick={() => void editor.revert(id)}>
            {m.editing.revert}
          </button>
        )}
        <button class="button is-small" type="button" onClick={leave}>
          {m.editing.done}
        </button>
      </div>
    </div>
  );
}
