import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Chapter } from '@studymate/contracts/study';
import { useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { findLevels } from '../state/chapter-levels.ts';
import type { Playback } from '../state/playback.ts';
import { toClock } from '../text/format.ts';
import { findAt } from '../text/transcript-text.ts';
import { Icon } from './icon.tsx';
import { RelatedMoments } from './related-moments.tsx';

/** Chapters of one level at a time, and the choice of the level. */
export function ChaptersPanel(props: {
  chapters: readonly Chapter[];
  /** Those of the level that is shown. */
  shown: ReadonlySignal<readonly Chapter[]>;
  lectureId: string;
  playback: Playback;
  onLevel(level: Chapter['level']): void;
}) {
  const m = useMessages();
  const { playback } = props;
  const shown = props.shown.value;
  const levels = findLevels(props.chapters);
  const current = useComputed(() => findAt(props.shown.value, playback.now.value.seconds)).value;
  return (
    <div>
      <fieldset class="choices" hidden={levels.length < 2}>
        <legend>{m.chapters.howMany}</legend>
        {levels.map(({ level, count }) => (
          <button
            key={level}
            class="choice"
            type="button"
            aria-pressed={level === shown[0]?.level}
            onClick={() => props.onLevel(level)}
          >
            {`${m.chapters.levels[level]} (${count})`}
          </button>
        ))}
      </fieldset>
      <ol class="chapters">
        {shown.map((chapter, i) => (
          <ChapterRow
            key={chapter.start}
            lectureId={props.lectureId}
            chapter={chapter}
            index={props.chapters.indexOf(chapter)}
            isNow={i === current}
            onSeek={playback.playFrom}
          />
        ))}
      </ol>
    </div>
  );
}

function ChapterRow(props: {
  lectureId: string;
  chapter: Chapter;
  /** Its place among the chapters of all levels. */
  index: number;
  isNow: boolean;
  onSeek(seconds: number): void;
}) {
  const m = useMessages();
  const [isOpen, setOpen] = useState(false);
  const { start, end, title } = props.chapter;
  return (
    <li class={props.isNow ? 'chapter-row is-now' : 'chapter-row'}>
      <button class="chapter" type="button" dir="auto" onClick={() => props.onSeek(start)}>
        <span class="moment">{toClock(start)}</span>
        <span class="chapter-title">{title}</span>
        <span class="chapter-length">{toClock(end - start)}</span>
      </button>
      <button
        class="icon-button"
        type="button"
        aria-expanded={isOpen}
        aria-label={m.related.show(title)}
        title={m.related.show(title)}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="related" />
      </button>
      {isOpen && <RelatedMoments lectureId={props.lectureId} index={props.index} />}
    </li>
  );
}
