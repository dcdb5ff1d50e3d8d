import type { Chapter } from '@studymate/contracts/study';
import { el } from './dom.ts';
import { toClock } from './format.ts';
import { findAt } from './transcript-text.ts';

export interface ChaptersPanel {
  content: HTMLElement;
  show(chapters: readonly Chapter[]): void;
  setTime(seconds: number): void;
}

const levels = [
  { level: 'coarse', label: 'Few' },
  { level: 'general', label: 'Some' },
  { level: 'fine', label: 'Many' },
] as const satisfies readonly { level: Chapter['level']; label: string }[];

/** Chapters of one level at a time, and the choice of the level. */
export function createChaptersPanel(deps: {
  onSeek(seconds: number): void;
  /** The chapters of the level that is shown now. */
  onLevel(chapters: readonly Chapter[]): void;
}): ChaptersPanel {
  const list = el('ol', { class: 'chapters' });
  const choices = el('fieldset', { class: 'choices' }, [el('legend', {}, ['How many'])]);
  const content = el('div', {}, [choices, list]);
  let all: readonly Chapter[] = [];
  let shown: readonly Chapter[] = [];
  let current = -1;

  const showLevel = (level: Chapter['level']) => {
    shown = all.filter((chapter) => chapter.level === level);
    current = -1;
    list.replaceChildren(
      ...shown.map(({ start, end, title }) =>
        el('li', {}, [
          el(
            'button',
            { class: 'chapter', type: 'button', dir: 'auto' },
            [
              el('span', { class: 'moment' }, [toClock(start)]),
              el('span', { class: 'chapter-title' }, [title]),
              el('span', { class: 'chapter-length' }, [toClock(end - start)]),
            ],
            { click: () => deps.onSeek(start) },
          ),
        ]),
      ),
    );
    for (const button of choices.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.level === level));
    }
    deps.onLevel(shown);
  };

  return {
    content,
    show(chapters) {
      all = chapters;
      const counted = levels
        .map(({ level, label }) => ({ level, label, count: all.filter((chapter) => chapter.level === level).length }))
        // Levels of a short lecture are often the same.
        .filter(({ count }, i, list) => count > 0 && list.findIndex((other) => other.count === count) === i);
      for (const button of choices.querySelectorAll('button')) button.remove();
      choices.append(
        ...counted.map(({ level, label, count }) =>
          el(
            'button',
            { class: 'choice', type: 'button', 'data-level': level, 'aria-pressed': false },
            [`${label} (${count})`],
            {
              click: () => showLevel(level),
            },
          ),
        ),
      );
      choices.hidden = counted.length < 2;
      showLevel(counted.find(({ level }) => level === 'general')?.level ?? counted[0]?.level ?? 'general');
    },
    setTime(seconds) {
      const index = findAt(shown, seconds);
      if (index === current) return;
      list.children[current]?.classList.remove('is-now');
      list.children[index]?.classList.add('is-now');
      current = index;
    },
  };
}
