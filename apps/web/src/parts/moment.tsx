import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';

/** A time that leads to its moment of the recording. */
export function Moment({ seconds, onSeek }: { seconds: number; onSeek(seconds: number): void }) {
  const clock = toClock(seconds);
  return (
    <button
      class="moment"
      type="button"
      aria-label={useMessages().transcript.playFrom(clock)}
      onClick={() => onSeek(seconds)}
    >
      {clock}
    </button>
  );
}
