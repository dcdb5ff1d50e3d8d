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
  toggle(): void;
  /** Forwards with a positive number of seconds, back with a negative one. */
  skip(seconds: number): void;
  /** @returns how many times as fast as it was spoken it plays now */
  changeSpeed(by: number): number;
}

/** @param startSeconds where it stands at first */
export function createPlayback(startSeconds: number): Playback {
  const now = signal({ seconds: startSeconds, isMoving: false });
  let media: HTMLMediaElement | null = null;
  const tell = (seconds: number, isMoving: boolean) => {
    const before = now.peek();
    if (before.seconds !== seconds || before.isMoving !== isMoving) now.value = { seconds, isMoving };
  };
  // Refused when the browser cannot play it, which the error event tells, or after another jump.
  const play = () => void media?.play().catch(() => {});
  return {
    now,
    tell,
    attach(element) {
      media = element;
    },
    playFrom(seconds) {
      if (media === null) return;
      media.currentTime = seconds;
      tell(seconds, true);
      play();
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
