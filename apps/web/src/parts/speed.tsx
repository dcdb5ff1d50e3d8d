import { useMessages } from '../state/app.ts';
import { type Playback, speeds } from '../state/playback.ts';

/** How fast the recording plays. Browsers hide this in a menu of their controls, and forget it. */
export function Speed({ playback }: { playback: Playback }) {
  const m = useMessages();
  const current = playback.speed.value;
  // The browser's own controls may know others.
  const offered = [...new Set([...speeds, current])].sort((a, b) => a - b);
  return (
    <select
      class="speed"
      aria-label={m.player.howFast}
      title={m.player.howFast}
      value={current}
      onChange={({ currentTarget }) => playback.setSpeed(Number(currentTarget.value))}
    >
      {offered.map((times) => (
        <option key={times} value={times}>
          {`${times}×`}
        </option>
      ))}
    </select>
  );
}
