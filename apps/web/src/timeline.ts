import type { Chapter } from '@studymate/contracts/study';
import { el } from './dom.ts';
import { toClock } from './format.ts';
import { findAt } from './transcript-text.ts';

export interface Timeline {
  element: HTMLElement;
  /** Chapters of one level, which follow each other without gaps. */
  setChapters(chapters: readonly Chapter[]): void;
  setTime(seconds: number): void;
}

/**
 * The chapters side by side, as wide as they are long. A picture for eye and mouse: the list of chapters does the same
 * for keyboard and screen reader.
 */
export function createTimeline(deps: { onSeek(seconds: number): void }): Timeline {
  const element = el('div', { class: 'timeline', 'aria-hidden': true });
  let chapters: readonly Chapter[] = [];
  let current = -1;

  return {
    element,
    setChapters(given) {
      chapters = given;
      current = -1;
      element.replaceChildren(
        ...chapters.map(({ start, end, title }) => {
          const part = el('button', { type: 'button', tabindex: -1, title: `${toClock(start)}  ${title}` }, [], {
            click: () => deps.onSeek(start),
          });
          part.style.flexGrow = String(Math.max(end - start, 0.001));
          return part;
        }),
      );
    },
    setTime(seconds) {
      const index = findAt(chapters, seconds);
      const part = element.children[index];
      const chapter = chapters[index];
      if (index !== current) {
        for (const [i, other] of [...element.children].entries()) {
          if (other instanceof HTMLElement) other.style.setProperty('--played', i < index ? '100%' : '0%');
        }
        current = index;
      }
      if (!(part instanceof HTMLElement) || chapter === undefined) return;
      const share = (seconds - chapter.start) / Math.max(chapter.end - chapter.start, 0.001);
      part.style.setProperty('--played', `${Math.min(100, Math.max(0, share * 100)).toFixed(2)}%`);
    },
  };
}
