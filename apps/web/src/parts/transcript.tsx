import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { Lecture } from '@studymate/contracts/lecture';
import type { Segment } from '@studymate/contracts/transcript';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { isAssembled } from '../state/lecture-state.ts';
import type { OpenEditor } from '../state/open-editor.ts';
import type { Playback } from '../state/playback.ts';
import { findAt, findWord } from '../text/transcript-text.ts';
import { toLazy } from './lazy.tsx';
import { loadEditing } from './load-editing.ts';
import { panelProps } from './tabs.tsx';
import { TranscriptHead } from './transcript-head.tsx';
import { TranscriptRow } from './transcript-row.tsx';
import { TranscriptSearch } from './transcript-search.tsx';
import { useIsMine } from './use-is-mine.ts';

const KeptUnplaced = toLazy(async () => ({ default: (await loadEditing()).KeptUnplaced }));
const EditBar = toLazy(async () => ({ default: (await loadEditing()).EditBar }));

interface TranscriptProps {
  segments: readonly Segment[];
  lecture: Lecture | null;
  /** What stands there as long as there is no text. */
  placeholder: string;
  playback: Playback;
  /** There is none, and none will come. */
  hasNoText: boolean;
  editing: Pick<OpenEditor, 'editor' | 'unsaved' | 'start' | 'stop' | 'discardUnplaced'>;
  /** The study parts are wanted from the corrected text. */
  onMakeAgain(): void;
  selected: string;
  /** The moment that the lecture was opened at, to be brought into view; null for its beginning. */
  atSeconds: number | null;
}

/** How long a word stays marked after its end: longer pauses are silence. */
const lingerSeconds = 0.6;
/** The browser leaves out blocks that are out of sight (`content-visibility`); to ask for each row would cost more. */
const rowsOfBlock = 20;
/** More than a screen shows. */
const rowsAtFirst = 20;
/** Less than 50 ms of work on a phone: longer, and it would not answer to a finger in between. */
const rowsAtOnce = 60;
const scrollKeys = new Set(['PageUp', 'PageDown', 'ArrowUp', 'ArrowDown', 'Home', 'End']);

/** The text, in which what is being said is marked and kept in view, unless the reader has scrolled away or corrects it. */
export function Transcript(props: TranscriptProps) {
  const m = useMessages();
  const { segments, lecture, playback, atSeconds, editing } = props;
  const editor = editing.editor.value;
  const isMine = useIsMine(lecture) === true;
  const pane = useRef<HTMLElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const isFollowing = useSignal(true);
  /** The index of the row whose time has the Tab key's stop; the arrows go on from there. */
  const tabRow = useSignal(0);
  const known = useSignal(segments);
  known.value = segments;
  /** The same, or the next one that is shown: what somebody has taken out is seen only while the text is corrected. */
  const stopRow = useComputed(() => {
    const isShown = ({ text }: Segment) => text !== '' || editing.editor.value !== null;
    const next = known.value.findIndex((segment, i) => i >= tabRow.value && isShown(segment));
    return next >= 0 ? next : known.value.findLastIndex(isShown);
  });
  const row = useComputed(() => {
    const { seconds } = playback.now.value;
    const index = findAt(known.value, seconds);
    const segment = known.value[index];
    return segment !== undefined && seconds <= segment.end + lingerSeconds ? index : -1;
  });
  const findRow = (index: number) =>
    list.current?.children[Math.floor(index / rowsOfBlock)]?.children[index % rowsOfBlock] ?? null;
  const scrollTo = (index: number, behavior: ScrollBehavior) => {
    const row = findRow(index);
    if (row === null) return;
    const isFar = Math.abs(row.getBoundingClientRect().top) > 2 * window.innerHeight;
    row.scrollIntoView({ block: 'center', behavior: isFar ? 'auto' : behavior });
    // The height of what was out of sight was a guess; now it is known.
    if (isFar) requestAnimationFrame(() => requestAnimationFrame(() => row.scrollIntoView({ block: 'center' })));
  };

  useSignalEffect(() => {
    const index = row.value;
    if (index < 0 || !isFollowing.peek() || !playback.now.peek().isMoving) return;
    scrollTo(index, wantsMotion() ? 'smooth' : 'auto');
  });
  useSignalEffect(() => {
    const field = editing.editor.value?.field.value ?? null;
    if (field === null) return;
    isFollowing.value = false;
    findRow(field.id)?.scrollIntoView({ block: 'nearest' });
  });
  // One stop for the Tab key, at what is being said: hundreds would stand before all that comes after the text.
  useSignalEffect(() => {
    const index = row.value;
    if (index >= 0 && !list.current?.contains(document.activeElement)) tabRow.value = index;
  });
  // Whoever plays a moment from elsewhere wants to read it, too.
  useSignalEffect(() => {
    const jump = playback.jump.value;
    if (jump === null || editing.editor.peek() !== null) return;
    isFollowing.value = true;
    scrollTo(findAt(known.peek(), jump.seconds), wantsMotion() ? 'smooth' : 'auto');
  });
  // Where it was not seen for a while it may have fallen behind.
  const { selected } = props;
  useEffect(() => {
    const index = row.peek();
    if (selected === 'transcript' && isFollowing.peek() && playback.jump.peek() !== null && index >= 0) {
      scrollTo(index, 'auto');
    }
  }, [selected, row, isFollowing, playback]);
  // Once the text has come as far as the moment that was asked for.
  const isReached = atSeconds !== null && (segments.at(-1)?.end ?? 0) > atSeconds;
  useEffect(() => {
    if (isReached && atSeconds !== null) scrollTo(findAt(known.peek(), atSeconds), 'auto');
  }, [isReached, atSeconds, known]);

  const leave = () => {
    isFollowing.value = false;
  };
  const onClick = (event: MouseEvent) => {
    const { target } = event;
    // Somebody who marks text with the mouse does not want the sound to jump.
    if (!(target instanceof HTMLElement) || !document.getSelection()?.isCollapsed) return;
    const start = target.dataset.start === undefined ? null : Number(target.dataset.start);
    const segment = target.matches('.segment-text, .word, .segment-removed')
      ? segments[Number(toRow(target)?.dataset.index)]
      : undefined;
    if (editor !== null && segment !== undefined) {
      editor.open(segment.id, start === null ? null : findWord(segment, (word) => word.start === start));
    } else if (start !== null) playback.playFrom(start);
  };
  const start = async () => {
    const at = findVisible(list.current, row.peek());
    await editing.start();
    editing.editor.peek()?.open(at);
  };
  const stop = () => {
    editing.stop();
    // After it has been drawn without the bar that had the focus.
    requestAnimationFrame(() => pane.current?.querySelector<HTMLElement>('.transcript-head button')?.focus());
  };
  const shown = useShownCount(segments.length, atSeconds === null ? 0 : findAt(segments, atSeconds) + rowsAtOnce);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it has the role of a tab's panel, and only notes that one scrolls
    <section
      ref={pane}
      {...panelProps('transcript', props.selected, 'transcript pane')}
      onWheel={leave}
      onTouchMove={leave}
      onKeyDown={(event) => {
        if (scrollKeys.has(event.key)) leave();
        stepRows(event, findRow);
      }}
      onFocusIn={({ target }) => {
        if (target instanceof Element && target.matches('.moment')) tabRow.value = Number(toRow(target)?.dataset.index);
      }}
    >
      <h2 class="pane-title">{m.transcript.title}</h2>
      {!props.hasNoText && (
        <TranscriptSearch
          segments={segments}
          editor={editing.editor}
          findText={(index) => findRow(index)?.querySelector('.segment-text') ?? null}
          onLeave={leave}
        />
      )}
      {editor === null ? (
        <TranscriptHead segments={segments} lecture={lecture} unsaved={editing.unsaved} onStart={start} />
      ) : (
        <EditBar
          editor={editor}
          row={row}
          lecture={lecture}
          onScrollTo={(index) => scrollTo(index, 'auto')}
          onMakeAgain={props.onMakeAgain}
          onClose={stop}
        />
      )}
      {isMine && lecture !== null && isAssembled(lecture) && lecture.transcriptVersion > 0 && (
        <KeptUnplaced lecture={lecture} onDiscard={(version) => void editing.discardUnplaced(version)} />
      )}
      <p class="placeholder" hidden={segments.length > 0}>
        {props.placeholder}
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: each row has a button for keys */}
      <div ref={list} class="segments" onClick={onClick}>
        {Array.from({ length: Math.ceil(shown / rowsOfBlock) }, (_, block) => (
          <div key={block} class="segment-block">
            {segments.slice(block * rowsOfBlock, Math.min(shown, (block + 1) * rowsOfBlock)).map((segment, i) => (
              <TranscriptRow
                key={i}
                index={block * rowsOfBlock + i}
                segment={segment}
                language={lecture?.language ?? undefined}
                row={row}
                tabRow={stopRow}
                playback={playback}
                editor={editing.editor}
              />
            ))}
          </div>
        ))}
      </div>
      <CatchUp isFollowing={isFollowing} row={row} onBack={() => scrollTo(row.peek(), 'auto')} />
    </section>
  );
}

/**
 * How many rows to draw: a screenful at once, and all others some at a time, so that a transcript of hours does not
 * hold up the page. @param needed how many must be there
 */
function useShownCount(count: number, needed: number): number {
  const [drawn, setDrawn] = useState(rowsAtFirst);
  useEffect(() => {
    if (drawn >= count) return;
    const timer = setTimeout(() => setDrawn(drawn + rowsAtOnce));
    return () => clearTimeout(timer);
  }, [drawn, count]);
  return Math.min(count, Math.max(drawn, needed));
}

/** From the time of one row to that of another, with the arrows up and down. */
function stepRows(event: KeyboardEvent, findRow: (index: number) => Element | null): void {
  const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (by === 0 || !(event.target instanceof Element) || !event.target.matches('.moment')) return;
  let index = Number(toRow(event.target)?.dataset.index) + by;
  while (findRow(index)?.matches('[hidden]')) index += by;
  const next = findRow(index)?.querySelector<HTMLElement>('.moment');
  if (!next) return;
  event.preventDefault();
  next.focus();
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

function toRow(element: Element): HTMLElement | null {
  return element.closest<HTMLElement>('.segment');
}

/** The row that is being said, if one can see it, else the first that one can see. @param now its index, or -1 */
function findVisible(list: HTMLElement | null, now: number): number {
  const top = Math.max(0, list?.parentElement?.getBoundingClientRect().top ?? 0);
  const isVisible = (element: Element, edge: 'top' | 'bottom') => {
    const box = element.getBoundingClientRect();
    return box[edge] > top && box.top < window.innerHeight;
  };
  // Only of blocks that are in sight: to ask where a row is makes the browser lay out what it has left out.
  const blocks = [...(list?.children ?? [])].filter((block) => isVisible(block, 'bottom'));
  const rows = blocks.flatMap((block) => [...block.querySelectorAll<HTMLElement>('.segment:not([hidden])')]);
  const visible = rows.filter((row) => isVisible(row, 'top')).map((row) => Number(row.dataset.index));
  return visible.includes(now) ? now : (visible[0] ?? Math.max(0, now));
}

function wantsMotion(): boolean {
  return !window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
