import { type ReadonlySignal, signal } from '@preact/signals';

/** Where the recording stands, for all that follows it, and how to move it. */
export interface Playback {
  /** Told on every picture while it plays, and after every jump. */
  now: ReadonlySignal<{ seconds: number; isMoving: boolean }>;
  tell(seconds: number, isMoving: boolean): void;
  /** The element that plays; null once it is gone. */
  attach(media: HTMLMediaElement | null): void;
  /** Goes to a moment and plays from there. */
  playFrom(seconds: number): void;
  /** Plays a stretch and stops at its end; while it plays the same call stops it. */
  playSpan(start: number, end: number): void;
  toggle(): void;
  /** Forwards with a positive number of seconds, back with a negative one. */
  skip(seconds: number): void;
  /** @returns how many times as fast as it was spoken it plays now */
  changeSpeed(by: number): number;
}

/** A browser may begin a little before the moment that it was sent to. */
const toleratedSeconds = 0.5;

/** @param startSeconds where it stands at first */
export function createPlayback(startSeconds: number): Playback {
  const now = signal({ seconds: startSeconds, isMoving: false });
  let media: HTMLMediaElement | null = null;
  let span: { start: number; end: number } | null = null;
  const tell = (seconds: number, isMoving: boolean) => {
    const before = now.peek();
    if (before.seconds !== seconds || before.isMoving !== isMoving) now.value = { seconds, isMoving };
    if (span === null) return;
    const isOver = seconds >= span.end;
    if (isOver && isMoving) media?.pause();
    // Also when it was stopped, or somebody has gone somewhere else.
    if (isOver || !isMoving || seconds < span.start - toleratedSeconds) span = null;
  };
  // Refused when the browser cannot play it, which the error event tells, or after another jump.
  const play = () => void media?.play().catch(() => {});
  const playFrom = (seconds: number) => {
    span = null;
    if (media === null) return;
    media.currentTime = seconds;
    tell(seconds, true);
    play();
  };
  return {
    now,
    tell,
    attach(element) {
      media = element;
    },
    playFrom,
    playSpan(start, end) {
      if (span?.start === start && media?.paused === false) {
        media.pause();
        return;
      }
      playFrom(start);
      span = { start, end };
    },
    toggle() {
      if (media === null) return;
      if (media.paused) play();
      else media.pause();
    },
    changeSpeed(by) {
      if (media === null) return 1;
      media.playbackRate = Math.min(3, Math.max(0.5, media.playbackRate + by));
      // Kept when the recording is fetched anew.
      media.defaultPlaybackRate = media.playbackRate;
      return media.playbackRate;
    },
    skip(seconds) {
      if (media !== null) media.currentTime = Math.max(0, media.currentTime + seconds);
    },
  };
}
