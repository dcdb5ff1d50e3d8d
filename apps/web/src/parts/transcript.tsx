import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { Segment } from '@studymate/contracts/transcript';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Playback } from '../state/playback.ts';
import { findAt, unsureBelow } from '../text/transcript-text.ts';
import { panelProps } from './tabs.tsx';
import { TranscriptRow } from './transcript-row.tsx';

interface TranscriptProps {
  segments: readonly Segment[];
  language: string | null;
  /** What stands there as long as there is no text. */
  placeholder: string;
  playback: Playback;
  selected: string;
  /** The moment that the lecture was opened at, to be brought into view; null for its beginning. */
  atSeconds: number | null;
}

/** How long a word stays marked after its end: longer pauses are silence. */
const lingerSeconds = 0.6;
/** The browser leaves out blocks that are out of sight (`content-visibility`); to ask for each row would cost more. */
const rowsOfBlock = 20;
/** Some 20 ms of work. */
const rowsAtOnce = 160;
const scrollKeys = new Set(['PageUp', 'PageDown', 'ArrowUp', 'ArrowDown', 'Home', 'End']);

/** The text, in which what is being said is marked and kept in view, unless the reader has scrolled away. */
export function Transcript(props: TranscriptProps) {
  const m = useMessages();
  const { segments, language, playback, atSeconds } = props;
  const list = useRef<HTMLDivElement>(null);
  const isFollowing = useSignal(true);
  const known = useSignal(segments);
  known.value = segments;
  const row = useComputed(() => {
    const { seconds } = playback.now.value;
    const index = findAt(known.value, seconds);
    const segment = known.value[index];
    return segment !== undefined && seconds <= segment.end + lingerSeconds ? index : -1;
  });
  const scrollTo = (index: number, behavior: ScrollBehavior) =>
    list.current?.children[Math.floor(index / rowsOfBlock)]?.children[index % rowsOfBlock]?.scrollIntoView({
      block: 'center',
      behavior,
    });

  useSignalEffect(() => {
    const index = row.value;
    if (index < 0 || !isFollowing.peek() || !playback.now.peek().isMoving) return;
    scrollTo(index, wantsMotion() ? 'smooth' : 'auto');
  });
  // Once the text has come as far as the moment that was asked for.
  const isReached = atSeconds !== null && (segments.at(-1)?.end ?? 0) > atSeconds;
  useEffect(() => {
    if (isReached && atSeconds !== null) scrollTo(findAt(known.peek(), atSeconds), 'auto');
  }, [isReached, atSeconds, known]);

  const leave = () => {
    isFollowing.value = false;
  };
  const onClick = (event: MouseEvent) => {
    const start = event.target instanceof HTMLElement ? event.target.dataset.start : undefined;
    // Somebody who marks text with the mouse does not want the sound to jump.
    if (start === undefined || !document.getSelection()?.isCollapsed) return;
    playback.playFrom(Number(start));
  };
  const shown = useShownCount(segments.length, atSeconds === null ? 0 : findAt(segments, atSeconds));
  const isUnsure = segments.some(({ words }) => words.some(({ probability }) => probability < unsureBelow));

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it has the role of a tab's panel, and only notes that one scrolls
    <section
      {...panelProps('transcript', props.selected, 'transcript pane')}
      onWheel={leave}
      onTouchMove={leave}
      onKeyDown={(event) => {
        if (scrollKeys.has(event.key)) leave();
      }}
    >
      <h2 class="pane-title">{m.transcript.title}</h2>
      <p class={isUnsure ? 'legend' : 'legend is-invisible'} hidden={segments.length === 0}>
        <span class="is-unsure">{m.transcript.dotted}</span>
        {m.transcript.dottedMeaning}
      </p>
      <p class="placeholder" hidden={segments.length > 0}>
        {props.placeholder}
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: each row has a button for keys */}
      <div ref={list} class="segments" lang={language ?? undefined} onClick={onClick}>
        {Array.from({ length: Math.ceil(shown / rowsOfBlock) }, (_, block) => (
          <div key={block} class="segment-block">
            {segments.slice(block * rowsOfBlock, Math.min(shown, (block + 1) * rowsOfBlock)).map((segment, i) => (
              <TranscriptRow key={i} index={block * rowsOfBlock + i} segment={segment} row={row} playback={playback} />
            ))}
          </div>
        ))}
      </div>
      <CatchUp isFollowing={isFollowing} row={row} onBack={() => scrollTo(row.peek(), 'auto')} />
    </section>
  );
}

/**
 * How many rows to draw: a screenful at once, and all others a few hundred at a time, so that a transcript of hours does not
 * hold up the page. @param needed the index of a row that must be there
 */
function useShownCount(count: number, needed: number): number {
  const [drawn, setDrawn] = useState(rowsAtOnce);
  useEffect(() => {
    if (drawn >= count) return;
    const timer = setTimeout(() => setDrawn(drawn + rowsAtOnce));
    return () => clearTimeout(timer);
  }, [drawn, count]);
  return Math.min(count, Math.max(drawn, needed + rowsAtOnce));
}

function CatchUp(props: { isFollowing: { value: boolean }; row: ReadonlySignal<number>; onBack(): void }) {
  const m = useMessages();
  const isHidden = props.isFollowing.value || props.row.value < 0;
  const goBack = () => {
    props.isFollowing.value = true;
    props.onBack();
  };
  return (
    <button class="button catch-up" type="button" hidden={isHidden} onClick={goBack}>
      {m.transcript.back}
    </button>
  );
}

function wantsMotion(): boolean {
  return !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
