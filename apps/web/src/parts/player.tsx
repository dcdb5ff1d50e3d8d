import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Playback } from '../state/playback.ts';
import { findRecording, isReachable, pauseBeforeTrying } from '../state/recording.ts';
import { Speed } from './speed.tsx';

interface PlayerProps {
  mediaUrl: string;
  playback: Playback;
  /** Whether to say that the recording cannot be played; where nothing could be made of it there is nothing to play, either. */
  isNeeded: boolean;
  /** A recording with a picture needs more room; known only after a moment. */
  onVideo(): void;
  children: ComponentChildren;
}

/** Plays the recording with the browser's own controls, which work with keyboard and screen reader. */
export function Player({ mediaUrl, playback, isNeeded, onVideo, children }: PlayerProps) {
  const m = useMessages();
  const [kind, setKind] = useState<'audio' | 'video' | null>(null);
  const [cannotPlay, setCannotPlay] = useState(false);
  const element = useRef<HTMLMediaElement | null>(null);
  const over = useRef(new AbortController());

  useEffect(() => {
    // A video file opens in a video element even if it turns out to have no picture; everything else is sound.
    void findRecording(mediaUrl, over.current.signal).then((type) => {
      if (type !== null && !over.current.signal.aborted) setKind(type.startsWith('video/') ? 'video' : 'audio');
    });
    return () => over.current.abort();
  }, [mediaUrl]);

  const Media = kind ?? 'audio';
  useEffect(() => {
    const media = element.current;
    if (media === null || media.localName !== Media) return;
    playback.attach(media);
    const stop = followMedia(media, playback);
    return () => {
      stop();
      playback.attach(null);
      media.pause();
      // Ends the download of what has not been played.
      media.removeAttribute('src');
      media.load();
    };
  }, [Media, playback]);
  useEffect(() => {
    if (kind !== null && element.current !== null) begin(element.current, mediaUrl, playback.now.peek().seconds);
  }, [kind, mediaUrl, playback]);

  // An element gives up for good when the API is away for a moment; a format that it does not know stays unknown.
  const onError = async (event: Event) => {
    const media = event.currentTarget as HTMLMediaElement;
    const { currentTime, error } = media;
    const { signal } = over.current;
    if (!media.hasAttribute('src')) return;
    const isLost = error?.code === MediaError.MEDIA_ERR_NETWORK || !(await isReachable(mediaUrl, signal));
    if (signal.aborted) return;
    if (!isLost) {
      setCannotPlay(true);
      return;
    }
    await pauseBeforeTrying();
    if ((await findRecording(mediaUrl, signal)) !== null && !signal.aborted) begin(media, mediaUrl, currentTime);
  };
  const onLoaded = (event: Event) => {
    setCannotPlay(false);
    if (event.currentTarget instanceof HTMLVideoElement && event.currentTarget.videoWidth > 0) onVideo();
  };

  return (
    <section class="player" aria-label={m.player.title} hidden={cannotPlay && !isNeeded}>
      {children}
      <div class="player-media">
        <Media
          key={Media}
          ref={element as never}
          controls
          preload="metadata"
          aria-label={m.player.recording}
          onError={(event: Event) => void onError(event)}
          onLoadedMetadata={onLoaded}
        />
        <Speed playback={playback} />
      </div>
      <p class="player-problem" role="status" hidden={!cannotPlay}>
        {m.player.cannotPlay}
      </p>
    </section>
  );
}

function begin(media: HTMLMediaElement, mediaUrl: string, startSeconds: number): void {
  media.src = mediaUrl;
  media.currentTime = startSeconds;
}

/** Tells where it stands: on every picture while it plays, and after every jump. @returns ends it */
function followMedia(media: HTMLMediaElement, playback: Playback): () => void {
  let frame = 0;
  const tell = () => playback.tell(media.currentTime, !media.paused);
  const tick = () => {
    tell();
    frame = requestAnimationFrame(tick);
  };
  const start = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(tick);
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    tell();
  };
  const tellSpeed = () => playback.tellSpeed(media.playbackRate);
  // Without pictures, in a tab that is not seen, it is told by `timeupdate` alone.
  const listeners = { play: start, pause: stop, seeked: tell, timeupdate: tell, ratechange: tellSpeed };
  for (const [type, listener] of Object.entries(listeners)) media.addEventListener(type, listener);
  return () => {
    cancelAnimationFrame(frame);
    for (const [type, listener] of Object.entries(listeners)) media.removeEventListener(type, listener);
  };
}
