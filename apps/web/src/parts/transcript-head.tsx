import type { ReadonlySignal } from '@preact/signals';
import type { Lecture } from '@studymate/contracts/lecture';
import type { Segment } from '@studymate/contracts/transcript';
import { useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { isAssembled } from '../state/lecture-state.ts';
import { unsureBelow } from '../text/transcript-text.ts';
import { useIsMine } from './use-is-mine.ts';

/** What the marks in the text mean, and the way to correct it. As high whether there is something to say or not. */
export function TranscriptHead(props: {
  segments: readonly Segment[];
  lecture: Lecture | null;
  /** How many corrected segments wait in this browser. */
  unsaved: ReadonlySignal<number>;
  onStart(): Promise<void>;
}) {
  const m = useMessages();
  const { segments, lecture } = props;
  const isUnsure = segments.some(({ words }) => words.some(({ probability }) => probability < unsureBelow));
  const { person } = useApp();
  const [isStarting, setIsStarting] = useState(false);
  const isMine = useIsMine(lecture) === true;
  // Whose corrections they are has to be known.
  const canEdit = isMine && person.value !== null && lecture !== null && isAssembled(lecture);
  const unsaved = props.unsaved.value;
  const start = async () => {
    if (isStarting) return;
    setIsStarting(true);
    await props.onStart();
    setIsStarting(false);
  };
  return (
    <div class="transcript-head" hidden={segments.length === 0}>
      <p class={isUnsure ? 'legend' : 'legend is-invisible'}>
        <span class="is-unsure">{m.transcript.dotted}</span>
        {m.transcript.dottedMeaning}
      </p>
      <button
        class={canEdit ? 'button is-small' : 'button is-small is-invisible'}
        type="button"
        aria-disabled={isStarting}
        onClick={() => void start()}
      >
        {isStarting ? m.editing.starting : unsaved > 0 ? m.editing.goOn(unsaved) : m.editing.start}
      </button>
    </div>
  );
}
