import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Segment, Word } from '@studymate/contracts/transcript';
import { useMemo } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Playback } from '../state/playback.ts';
import type { TranscriptEditor } from '../state/transcript-editor.ts';
import { toClock } from '../text/format.ts';
import { findAt, splitByWords, unsureBelow } from '../text/transcript-text.ts';
import { Icon } from './icon.tsx';
import { toLazy } from './lazy.tsx';
import { loadEditing } from './load-editing.ts';

const SegmentField = toLazy(async () => ({ default: (await loadEditing()).SegmentField }));

/** How long a word stays marked after its end. */
const lingerSeconds = 0.6;

interface TranscriptRowProps {
  index: number;
  segment: Segment;
  /** That was spoken; what the page itself says in a row is in the page's. */
  language: string | undefined;
  /** The index of the row that is being said, -1 for none. */
  row: ReadonlySignal<number>;
  /** The index of the row that the Tab key stops at. */
  tabRow: ReadonlySignal<number>;
  playback: Playback;
  editor: ReadonlySignal<TranscriptEditor | null>;
}

/** A segment with its words. Drawn again only when its text changes, while it is being said, and when it is written in. */
export function TranscriptRow({ index, segment, language, row, tabRow, playback, editor }: TranscriptRowProps) {
  const m = useMessages();
  const isNow = useComputed(() => row.value === index);
  const isStop = useComputed(() => tabRow.value === index).value;
  const pieces = useMemo(() => splitByWords(segment), [segment]);
  const words = useMemo(() => pieces.flatMap(({ word }) => (word === null ? [] : [word])), [pieces]);
  const currentWord = useComputed(() => {
    if (!isNow.value) return null;
    const { seconds } = playback.now.value;
    const word = words[findAt(words, seconds)];
    return word !== undefined && seconds <= word.end + lingerSeconds ? word : null;
  }).value;
  const isEditing = useComputed(() => editor.value !== null).value;
  const isOpen = useComputed(() => editor.value?.field.value?.id === segment.id).value;
  /** null: as it was saved. */
  const written = useComputed(() => editor.value?.changes.value.get(segment.id)?.text ?? null).value;
  const { flags, start } = segment;
  const clock = toClock(start);
  const isFlagged = flags.some((flag) => flag !== 'edited');
  const text = written ?? segment.text;
  const classes = [
    'segment',
    isFlagged && 'is-flagged',
    isNow.value && 'is-now',
    isEditing && 'is-edited',
    written !== null && 'is-changed',
  ];
  return (
    <div
      class={classes.filter(Boolean).join(' ')}
      dir="auto"
      data-index={index}
      // Somebody has taken it out.
      hidden={!isEditing && text === ''}
    >
      <button
        class="moment"
        type="button"
        tabIndex={isStop ? 0 : -1}
        data-start={start}
        aria-label={m.transcript.playFrom(clock)}
      >
        {clock}
      </button>
      {isOpen && editor.value !== null ? (
        <SegmentField editor={editor.value} segment={segment} language={language} playback={playback} />
      ) : (
        <div class="segment-body">
          <p class="segment-text" lang={language}>
            {written === null
              ? pieces.map(({ text, word }) =>
                  word === null ? text : toWord(text, word, word === currentWord, m.transcript.sure),
                )
              : written}
            {text === '' && (
              <em class="segment-removed" lang={m.locale}>
                {m.editing.removed}
              </em>
            )}
          </p>
          {flags.length > 0 && written === null && <Flags flags={flags} />}
        </div>
      )}
      {isEditing && !isOpen && (
        <button
          class="icon-button"
          type="button"
          aria-label={m.editing.correct(clock)}
          title={m.editing.correct(clock)}
          onClick={() => editor.peek()?.open(segment.id)}
        >
          <Icon name="pencil" />
        </button>
      )}
    </div>
  );
}

function Flags({ flags }: Pick<Segment, 'flags'>) {
  const m = useMessages();
  return (
    <p class="flags">
      {flags.map((flag) => (
        <span key={flag} class="flag" data-flag={flag} title={m.transcript.flags[flag].meaning}>
          {m.transcript.flags[flag].label}
          <span class="visually-hidden">{`. ${m.transcript.flags[flag].meaning}`}</span>
        </span>
      ))}
    </p>
  );
}

/** Not a component: there are tens of thousands. */
function toWord(text: string, word: Word, isNow: boolean, toTitle: (percent: number) => string) {
  const isUnsure = word.probability < unsureBelow;
  const name = isUnsure ? 'word is-unsure' : 'word';
  return (
    <span
      class={isNow ? `${name} is-now` : name}
      data-start={word.start}
      title={isUnsure ? toTitle(Math.round(word.probability * 100)) : undefined}
    >
      {text}
    </span>
  );
}
