import type { Summary } from '@studymate/contracts/study';
import { el } from './dom.ts';
import { toClock } from './format.ts';

/** Statements and key terms, each with the moment it was taken from. */
export function createSummaryPanel(deps: { onSeek(seconds: number): void }): {
  content: HTMLElement;
  show(summary: Summary): void;
} {
  const content = el('div', { class: 'summary' });
  return {
    content,
    show({ statements, keyTerms }) {
      content.replaceChildren(
        statements.length === 0
          ? el('p', { class: 'placeholder' }, ['There was too little text for a summary.'])
          : el(
              'ol',
              { class: 'statements' },
              statements.map(({ text, start }) =>
                el('li', {}, [
                  el(
                    'button',
                    { class: 'statement', type: 'button', dir: 'auto' },
                    [
                      el('span', { class: 'moment' }, [toClock(start)]),
                      el('span', { class: 'statement-text' }, [text]),
                    ],
                    { click: () => deps.onSeek(start) },
                  ),
                ]),
              ),
            ),
      );
      if (keyTerms.length === 0) return;
      const terms = keyTerms.map(({ term, definition, start }) =>
        el('div', { class: 'term' }, [
          el('dt', {}, [
            el('bdi', {}, [term]),
            el(
              'button',
              { class: 'moment', type: 'button', 'aria-label': `Play from ${toClock(start)}` },
              [toClock(start)],
              {
                click: () => deps.onSeek(start),
              },
            ),
          ]),
          el('dd', { dir: 'auto' }, [definition]),
        ]),
      );
      content.append(el('h3', {}, ['Key terms']), el('dl', { class: 'terms' }, terms));
    },
  };
}
