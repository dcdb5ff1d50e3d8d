import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { Chapter } from '@studymate/contracts/study';
import type { Playback } from '../state/playback.ts';
import { toClock } from '../text/format.ts';

interface TimelineProps {
  /** Of one level, which follow each other without gaps. */
  chapters: ReadonlySignal<readonly Chapter[]>;
  playback: Playback;
}

/**
 * The chapters side by side, as wide as they are long. A picture for eye and mouse: the list of chapters does the same
 * for keyboard and screen reader.
 */
export function Timeline({ chapters, playback }: TimelineProps) {
  return (
    <div class="timeline" aria-hidden="true">
      {chapters.value.map((chapter) => (
        <TimelinePart key={chapter.start} chapter={chapter} playback={playback} />
      ))}
    </div>
  );
}

function TimelinePart({ chapter, playback }: { chapter: Chapter; playback: Playback }) {
  const { start, end, title } = chapter;
  const length = Math.max(end - start, 0.001);
  // To a five-hundredth: a part that is not played is not drawn again.
  const played = useComputed(() => {
    const share = (playback.now.value.seconds - start) / length;
    return Math.round(Math.min(1, Math.max(0, share)) * 500) / 5;
  }).value;
  return (
    <button
      type="button"
      tabIndex={-1}
      title={`${toClock(start)}  ${title}`}
      style={{ flexGrow: length, '--played': `${played}%` }}
      onClick={() => playback.playFrom(start)}
    />
  );
}
