import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Segment } from '@studymate/contracts/transcript';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { findMatches, type TextMatch, type TextPlace, toFindable } from '../text/find-in-transcript.ts';
import { Icon } from './icon.tsx';

interface TranscriptSearchProps {
  segments: readonly Segment[];
  /** null while nobody corrects the text. */
  editor: ReadonlySignal<TranscriptEditor | null>;
  /** The element with a segment's text; null while it is not drawn. */
  findText(segment: number): Element | null;
  /** The reader goes somewhere else than the sound is. */
  onLeave(): void;
}

const maxLength = 200;
/** As in styles/transcript.css. */
const names = { all: 'found', one: 'found-now' };

/** Finds words in this transcript, also while it is being made, and goes from one place to the next. */
export function TranscriptSearch({ segments, editor, findText, onLeave }: TranscriptSearchProps) {
  const { singleKeys } = useApp();
  const m = useMessages();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const isWanted = wanted.trim() !== '';
  // Changes with what is shown, and not with each key in the open field: nothing is marked there.
  const written = useComputed(() => {
    const { field, changes } = editor.value ?? {};
    const open = field?.value?.id ?? null;
    return JSON.stringify([open, ...(changes?.value ?? [])].filter((each) => !Array.isArray(each) || each[0] !== open));
  }).value;
  const findable = useMemo(() => {
    const changes = editor.peek()?.changes.peek();
    const shown =
      changes === undefined ? segments : segments.map(({ id, text }) => ({ text: changes.get(id)?.text ?? text }));
    return isWanted ? toFindable(shown) : null;
  }, [segments, written, isWanted]);
  const matches = useMemo(() => (findable === null ? [] : findMatches(findable, wanted)), [findable, wanted]);
  const total = matches.length;
  const current = total === 0 ? undefined : matches[at % total];
  const goesThere = useRef(false);
  useEffect(() => {
    const all = matches.flatMap((match) => toRange(match, findText) ?? []);
    const one = current && toRange(current, findText);
    mark(names.all, all);
    mark(names.one, one ? [one] : []);
    if (!one || !goesThere.current) return;
    goesThere.current = false;
    one.startContainer.parentElement?.scrollIntoView({ block: 'center' });
  });
  useEffect(
    () => () => {
      mark(names.all, []);
      mark(names.one, []);
    },
    [],
  );
  const go = (place: number) => {
    goesThere.current = true;
    onLeave();
    setAt(place);
  };
  const step = (by: 1 | -1) => {
    if (total > 0) go(((at % total) + by + total) % total);
  };
  return (
    <search class={isWanted ? 'transcript-search is-searching' : 'transcript-search'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          step(1);
        }}
      >
        <label class="visually-hidden" for="search">
          {m.transcript.search}
        </label>
        <input
          class="field"
          id="search"
          type="search"
          dir="auto"
          autocomplete="off"
          aria-keyshortcuts={singleKeys.areOn.value ? '/' : undefined}
          maxLength={maxLength}
          placeholder={m.transcript.search}
          value={wanted}
          onInput={({ currentTarget }) => {
            setWanted(currentTarget.value);
            go(0);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !event.shiftKey) return;
            event.preventDefault();
            step(-1);
          }}
        />
        <p class="search-status" role="status">
          {!isWanted ? '' : total === 0 ? m.search.none : m.cards.place((at % total) + 1, total)}
        </p>
        <button class="button is-small" type="button" disabled={total < 2} onClick={() => step(-1)}>
          <Icon name="up" />
          <span class="visually-hidden">{m.transcript.matchBefore}</span>
        </button>
        <button class="button is-small" type="submit" disabled={total < 2}>
          <Icon name="down" />
          <span class="visually-hidden">{m.transcript.matchAfter}</span>
        </button>
      </form>
    </search>
  );
}

/** Marks without touching the text; browsers before 2025 may not know how, and only go there. */
function mark(name: string, ranges: readonly Range[]): void {
  if (!('highlights' in CSS)) return;
  if (ranges.length === 0) CSS.highlights.delete(name);
  else CSS.highlights.set(name, new Highlight(...ranges));
}

function toRange({ from, to }: TextMatch, findText: TranscriptSearchProps['findText']): Range | null {
  const start = findNode(from, findText);
  const end = findNode(to, findText);
  if (start === null || end === null) return null;
  const range = new Range();
  range.setStart(start.node, start.offset);
  range.setEnd(end.node, end.offset);
  return range;
}

/** The piece of text that an offset lies in, among those that a segment's text is drawn with. */
function findNode({ segment, offset }: TextPlace, findText: TranscriptSearchProps['findText']) {
  const element = findText(segment);
  if (element === null) return null;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let passed = 0;
  for (let node = walker.nextNode() as Text | null; node !== null; node = walker.nextNode() as Text | null) {
    if (offset <= passed + node.length) return { node, offset: offset - passed };
    passed += node.length;
  }
  return null;
}
