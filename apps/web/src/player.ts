import { el, setText } from './dom.ts';
import { findRecording, isReachable, pauseBeforeTrying } from './recording.ts';
import { createTimeline, type Timeline } from './timeline.ts';

export interface Player {
  element: HTMLElement;
  timeline: Timeline;
  /** Goes to a moment and plays from there. */
  playFrom(seconds: number): void;
  toggle(): void;
  /** Forwards with a positive number of seconds, back with a negative one. */
  skip(seconds: number): void;
  close(): void;
}

export interface PlayerDeps {
  mediaUrl: string;
  /** Where it stands at first. */
  startSeconds: number;
  /** Called on every picture while it plays, and after every jump. */
  onTime(seconds: number, isPlaying: boolean): void;
  /** A recording with a picture needs more room; known only after a moment. */
  onVideo(): void;
}

/** Plays the recording with the browser's own controls, which work with keyboard and screen reader. */
export function createPlayer(deps: PlayerDeps): Player {
  const over = new AbortController();
  const problem = el('p', { class: 'player-problem', role: 'status', hidden: true });
  const holder = el('div', { class: 'player-media' });
  let frame = 0;

  const tell = () => deps.onTime(media.currentTime, !media.paused);
  const tick = () => {
    tell();
    frame = requestAnimationFrame(tick);
  };
  const stopTicking = () => {
    cancelAnimationFrame(frame);
    tell();
  };

  function createMedia(kind: 'audio' | 'video'): HTMLMediaElement {
    const created = el(kind, { controls: true, preload: 'metadata', 'aria-label': 'Recording' });
    created.addEventListener('play', () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(tick);
    });
    created.addEventListener('pause', stopTicking);
    created.addEventListener('seeked', () => tell());
    created.addEventListener('loadedmetadata', () => {
      problem.hidden = true;
      const hasPicture = created instanceof HTMLVideoElement && created.videoWidth > 0;
      if (hasPicture) deps.onVideo();
    });
    created.addEventListener('error', () => void onError());
    return created;
  }

  let media: HTMLMediaElement = createMedia('audio');
  // A video file opens in a video element even if it turns out to have no picture; everything else is sound.
  const begin = async (startSeconds?: number) => {
    const type = await findRecording(deps.mediaUrl, over.signal);
    if (type === null || over.signal.aborted) return;
    const from = startSeconds ?? media.currentTime;
    if (type.startsWith('video/') && media.localName === 'audio') {
      media = createMedia('video');
      holder.replaceChildren(media);
    }
    media.src = deps.mediaUrl;
    media.currentTime = from;
  };
  // An element gives up for good when the API is away for a moment; a format that it does not know stays unknown.
  const onError = async () => {
    const { currentTime, error } = media;
    const isLost = error?.code === MediaError.MEDIA_ERR_NETWORK || !(await isReachable(deps.mediaUrl, over.signal));
    if (over.signal.aborted) return;
    if (isLost) {
      await pauseBeforeTrying();
      await begin(currentTime);
      return;
    }
    setText(problem, 'This browser cannot play the recording.');
    problem.hidden = false;
  };
  holder.append(media);
  void begin(deps.startSeconds);

  const playFrom = (seconds: number) => {
    media.currentTime = seconds;
    deps.onTime(seconds, true);
    // Refused when the browser cannot play it, which the error event tells, or after another jump.
    media.play().catch(() => {});
  };
  const timeline = createTimeline({ onSeek: playFrom });

  return {
    element: el('section', { class: 'player', 'aria-label': 'Player' }, [timeline.element, holder, problem]),
    timeline,
    playFrom,
    toggle() {
      if (media.paused) media.play().catch(() => {});
      else media.pause();
    },
    skip(seconds) {
      media.currentTime = Math.max(0, media.currentTime + seconds);
    },
    close() {
      over.abort();
      cancelAnimationFrame(frame);
      media.pause();
      // Ends the download of what has not been played.
      media.removeAttribute('src');
      media.load();
    },
  };
}
