import { type ReadonlySignal, signal } from '@preact/signals';
import { recall, remember } from './browser-memory.ts';

/** Where the recording stands, for all that follows it, and how to move it. */
export interface Playback {
  /** Told on every picture while it plays, and after every jump. */
  now: ReadonlySignal<{ seconds: number; isMoving: boolean }>;
  /** How many times as fast as it was spoken it plays; one of `speeds`, or what the browser's own controls set. */
  speed: ReadonlySignal<number>;
  /** The last moment that somebody wanted to hear; null before the first. */
  jump: ReadonlySignal<{ seconds: number } | null>;
  tell(seconds: number, isMoving: boolean): void;
  tellSpeed(times: number): void;
  /** The element that plays; null once it is gone. */
  attach(media: HTMLMediaElement | null): void;
  /** Goes to a moment, and plays there if it did before. */
  goTo(seconds: number): void;
  /** Goes to a moment and plays from there. */
  playFrom(seconds: number): void;
  /** Plays a stretch and stops at its end; while it plays the same call stops it. */
  playSpan(start: number, end: number): void;
  toggle(): void;
  /** Forwards with a positive number of seconds, back with a negative one. */
  skip(seconds: number): void;
  setSpeed(times: number): void;
  /** To the next faster (1) or slower (-1) speed. @returns the speed that it plays at now */
  stepSpeed(by: 1 | -1): number;
}

/** A browser may begin a little before the moment that it was sent to. */
const toleratedSeconds = 0.5;

export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;
const speedKey = 'studymate.speed';

/** Somebody who listens faster does so with the next lecture, too. @param startSeconds where it stands at first */
export function createPlayback(startSeconds: number): Playback {
  const now = signal({ seconds: startSeconds, isMoving: false });
  const jump = signal<{ seconds: number } | null>(null);
  const remembered = Number(recall(speedKey));
  const speed = signal<number>(speeds.find((each) => each === remembered) ?? 1);
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
  const tellSpeed = (times: number) => {
    // What the element begins with when the recording is fetched anew.
    if (media !== null) media.defaultPlaybackRate = times;
    if (times === speed.peek()) return;
    speed.value = times;
    remember(speedKey, String(times));
  };
  const setSpeed = (times: number) => {
    tellSpeed(times);
    if (media !== null) media.playbackRate = times;
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
    speed,
    jump,
    tell,
    tellSpeed,
    attach(element) {
      media = element;
      setSpeed(speed.peek());
    },
    goTo(seconds) {
      if (media === null) return;
      span = null;
      media.currentTime = seconds;
      tell(seconds, !media.paused);
      jump.value = { seconds };
    },
    playFrom(seconds) {
      playFrom(seconds);
      if (media !== null) jump.value = { seconds };
    },
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
    setSpeed,
    stepSpeed(by) {
      const times = speed.peek();
      const next = by > 0 ? speeds.find((each) => each > times) : speeds.findLast((each) => each < times);
      setSpeed(next ?? times);
      return speed.peek();
    },
    skip(seconds) {
      if (media !== null) media.currentTime = Math.max(0, media.currentTime + seconds);
    },
  };
}
