import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Segment, Word } from '@studymate/contracts/transcript';
import { useMemo } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import type { Playback } from '../state/playback.ts';
import { toClock } from '../text/format.ts';
import { findAt, splitByWords, unsureBelow } from '../text/transcript-text.ts';

/** How long a word stays marked after its end. */
const lingerSeconds = 0.6;

interface TranscriptRowProps {
  index: number;
  segment: Segment;
  /** The index of the row that is being said, -1 for none. */
  row: ReadonlySignal<number>;
  playback: Playback;
}

/** A segment with its words. Drawn again only when its text changes or while it is being said. */
export function TranscriptRow({ index, segment, row, playback }: TranscriptRowProps) {
  const m = useMessages();
  const isNow = useComputed(() => row.value === index);
  const pieces = useMemo(() => splitByWords(segment), [segment]);
  const words = useMemo(() => pieces.flatMap(({ word }) => (word === null ? [] : [word])), [pieces]);
  const currentWord = useComputed(() => {
    if (!isNow.value) return null;
    const { seconds } = playback.now.value;
    const word = words[findAt(words, seconds)];
    return word !== undefined && seconds <= word.end + lingerSeconds ? word : null;
  }).value;
  const { flags, start } = segment;
  const clock = toClock(start);
  const classes = ['segment', flags.length > 0 && 'is-flagged', isNow.value && 'is-now'];
  return (
    <div class={classes.filter(Boolean).join(' ')} dir="auto">
      <button class="moment" type="button" data-start={start} aria-label={m.transcript.playFrom(clock)}>
        {clock}
      </button>
      <div class="segment-body">
        <p class="segment-text">
          {pieces.map(({ text, word }) =>
            word === null ? text : toWord(text, word, word === currentWord, m.transcript.sure),
          )}
        </p>
        {flags.length > 0 && (
          <p class="flags">
            {flags.map((flag) => (
              <span key={flag} class="flag" title={m.transcript.flags[flag].meaning}>
                {m.transcript.flags[flag].label}
                <span class="visually-hidden">{`. ${m.transcript.flags[flag].meaning}`}</span>
              </span>
            ))}
          </p>
        )}
      </div>
    </div>
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
