import type { ReadonlySignal } from '@preact/signals';
import type { Lecture } from '@studymate/contracts/lecture';
import type { Segment } from '@studymate/contracts/transcript';
import { useMessages } from '../state/app.ts';
import { isAssembled } from '../state/lecture-state.ts';
import { unsureBelow } from '../text/transcript-text.ts';
import { useIsMine } from './use-is-mine.ts';

/** What the marks in the text mean, and the way to correct it. As high whether there is something to say or not. */
export function TranscriptHead(props: {
  segments: readonly Segment[];
  lecture: Lecture | null;
  /** How many corrected segments wait in this browser. */
  unsaved: ReadonlySignal<number>;
  onStart(): void;
}) {
  const m = useMessages();
  const { segments, lecture } = props;
  const isUnsure = segments.some(({ words }) => words.some(({ probability }) => probability < unsureBelow));
  const canEdit = useIsMine(lecture) === true && lecture !== null && isAssembled(lecture);
  const unsaved = props.unsaved.value;
  return (
    <div class="transcript-head" hidden={segments.length === 0}>
      <p class={isUnsure ? 'legend' : 'legend is-invisible'}>
        <span class="is-unsure">{m.transcript.dotted}</span>
        {m.transcript.dottedMeaning}
      </p>
      <button
        class={canEdit ? 'button is-small' : 'button is-small is-invisible'}
        type="button"
        onClick={props.onStart}
      >
        {unsaved > 0 ? m.editing.goOn(unsaved) : m.editing.start}
      </button>
    </div>
  );
}
