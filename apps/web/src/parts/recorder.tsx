import { useEffect, useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { maxRecordingSeconds } from '../state/recorder.ts';
import { toClock } from '../text/format.ts';
import { Icon } from './icon.tsx';
import { hasLostFocus } from './lost-focus.ts';

/** Records in the browser, and sends what was recorded like any other file. */
export function RecorderPanel({ courseId }: { courseId: string | null }) {
  const { recorder } = useApp();
  const m = useMessages();
  const state = recorder.state.value;
  const panel = useRef<HTMLElement>(null);
  const isPressed = useRef(false);
  useEffect(() => {
    if (!isPressed.current || state === 'asking') return;
    isPressed.current = false;
    // The button that was pressed went away with its state.
    if (hasLostFocus()) panel.current?.querySelector('button')?.focus();
  }, [state]);
  const press = (act: () => void) => () => {
    isPressed.current = true;
    act();
  };
  if (state === 'unsupported') return null;
  if (state !== 'recording' && state !== 'paused') {
    return (
      <div ref={panel as never} class="recorder">
        <button
          class="button"
          type="button"
          disabled={state === 'asking'}
          onClick={press(() => void recorder.start(courseId))}
        >
          <Icon name="microphone" />
          {m.recorder.start}
        </button>
        <p class="recorder-note" role="status">
          {state === 'refused' ? m.recorder.refused : state === 'asking' ? m.recorder.asking : ''}
        </p>
      </div>
    );
  }
  const isPaused = state === 'paused';
  return (
    <section ref={panel} class="recorder is-recording card" aria-label={m.recorder.title}>
      <span class={isPaused ? 'recorder-lamp' : 'recorder-lamp is-on'} aria-hidden="true" />
      <span class="recorder-clock">{toClock(recorder.seconds.value)}</span>
      <Level />
      <span class="recorder-note" role="status">
        {isPaused ? m.recorder.paused : m.recorder.recording(toClock(maxRecordingSeconds))}
      </span>
      <span class="recorder-buttons">
        <button class="button is-small" type="button" onClick={press(isPaused ? recorder.resume : recorder.pause)}>
          {isPaused ? m.recorder.resume : m.recorder.pause}
        </button>
        <button class="button is-small" type="button" onClick={press(recorder.stop)}>
          {m.recorder.stop}
        </button>
        <button class="button is-small is-danger" type="button" onClick={press(recorder.discard)}>
          {m.recorder.discard}
        </button>
      </span>
    </section>
  );
}

/** By itself, because it is drawn thirty times a second. */
function Level() {
  const { recorder } = useApp();
  const m = useMessages();
  return <meter class="recorder-level" min={0} max={1} value={recorder.level.value} aria-label={m.recorder.level} />;
}
