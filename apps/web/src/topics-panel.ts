import type { LectureTopic } from '@studymate/contracts/study';
import { el } from './dom.ts';
import { plural, toClock } from './format.ts';

const maxTerms = 8;

/** Each topic with its terms, and a strip of the lecture that shows when it is spoken of. */
export function createTopicsPanel(deps: { onSeek(seconds: number): void; durationSeconds(): number }): {
  content: HTMLElement;
  show(topics: readonly LectureTopic[]): void;
} {
  const content = el('div', { class: 'topics' });
  return {
    content,
    show(topics) {
      if (topics.length === 0) {
        content.replaceChildren(el('p', { class: 'placeholder' }, ['There was too little text to find topics in.']));
        return;
      }
      content.replaceChildren(...topics.map((topic) => createTopic(topic, deps.durationSeconds(), deps.onSeek)));
    },
  };
}

function createTopic(topic: LectureTopic, durationSeconds: number, onSeek: (seconds: number) => void): HTMLElement {
  const heaviest = topic.terms[0]?.weight ?? 1;
  const terms = topic.terms.slice(0, maxTerms).map(({ term, weight }) => {
    const item = el('li', { dir: 'auto' }, [term]);
    item.style.setProperty('--weight', String(Math.round((weight / heaviest) * 100) / 100));
    return item;
  });
  const [first] = topic.spans;
  return el('section', { class: 'topic' }, [
    el('h3', { dir: 'auto' }, [topic.label]),
    el('ul', { class: 'topic-terms', 'aria-label': 'Terms, heaviest first' }, terms),
    createStrip(topic, durationSeconds, onSeek),
    el('p', { class: 'topic-note' }, [
      `${plural(topic.size, 'sentence')} in ${plural(topic.spans.length, 'stretch', 'stretches')}`,
      first !== undefined && ', first at ',
      first !== undefined &&
        el(
          'button',
          { class: 'moment', type: 'button', 'aria-label': `Play from ${toClock(first.start)}` },
          [toClock(first.start)],
          {
            click: () => onSeek(first.start),
          },
        ),
    ]),
  ]);
}

/** For eye and mouse; the first stretch can be reached by keyboard, the others from the transcript. */
function createStrip(topic: LectureTopic, durationSeconds: number, onSeek: (seconds: number) => void): HTMLElement {
  const last = topic.spans.at(-1)?.end ?? 0;
  const whole = Math.max(durationSeconds, last, 0.001);
  const spans = topic.spans.map(({ start, end }) => {
    const span = el('button', { type: 'button', tabindex: -1, title: `${toClock(start)} – ${toClock(end)}` }, [], {
      click: () => onSeek(start),
    });
    span.style.left = `${(start / whole) * 100}%`;
    span.style.width = `${((end - start) / whole) * 100}%`;
    return span;
  });
  return el('div', { class: 'topic-strip', 'aria-hidden': true }, spans);
}
