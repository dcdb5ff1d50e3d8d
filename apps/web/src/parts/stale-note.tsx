import type { Lecture } from '@studymate/contracts/lecture';
import { useMessages } from '../state/app.ts';
import { hasEnded } from '../state/lecture-state.ts';
import { useIsMine } from './use-is-mine.ts';

/** That something is of an earlier text, and, for whoever may, the way to have the study parts made again. */
export function StaleNote(props: { lecture: Lecture; text: string; onMakeAgain(): void }) {
  const m = useMessages();
  const isMine = useIsMine(props.lecture);
  return (
    <p class="stale">
      {props.text}
      {isMine === true && hasEnded(props.lecture) && (
        <button class="button is-small" type="button" onClick={props.onMakeAgain}>
          {m.parts.makeAgain}
        </button>
      )}
    </p>
  );
}
