import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Waveform } from '@studymate/contracts/waveform';
import { useMemo } from 'preact/hooks';
import type { Playback } from '../state/playback.ts';
import { toWavePath } from '../text/wave-path.ts';

interface WaveformPictureProps {
  waveform: ReadonlySignal<Waveform | null>;
  playback: Playback;
}

/** How loud the recording is; a click leads to the moment. For eye and mouse: the player below does the same by keyboard. */
export function WaveformPicture({ waveform, playback }: WaveformPictureProps) {
  const { durationSeconds, values } = waveform.value ?? { durationSeconds: 0, values: [] };
  const path = useMemo(() => toWavePath(values), [values]);
  const played = useComputed(() => {
    const share = playback.now.value.seconds / Math.max(waveform.value?.durationSeconds ?? 0, 0.001);
    // To a thousandth: less is not seen, and need not be drawn.
    return Math.round(Math.min(1, share) * 1000) / 10;
  }).value;
  const seek = (event: MouseEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    playback.playFrom(((event.clientX - left) / Math.max(width, 1)) * durationSeconds);
  };
  // One that was cut before loudness was measured.
  if (waveform.value !== null && path === '') return null;
  return (
    <button class="waveform" type="button" tabIndex={-1} aria-hidden="true" disabled={path === ''} onClick={seek}>
      {path !== '' && (
        <>
          <svg viewBox={`0 0 ${values.length} 2`} preserveAspectRatio="none" aria-hidden="true">
            <path d={path} />
          </svg>
          <svg
            class="is-played"
            viewBox={`0 0 ${values.length} 2`}
            preserveAspectRatio="none"
            aria-hidden="true"
            style={{ clipPath: `inset(0 ${100 - played}% 0 0)` }}
          >
            <path d={path} />
          </svg>
        </>
      )}
    </button>
  );
}
