import type { Flashcard } from '@studymate/contracts/study';
import { el, icon, icons, setText } from './dom.ts';
import { toClock } from './format.ts';

const kinds: Readonly<Record<Flashcard['type'], string>> = {
  definition: 'What does it mean?',
  cloze: 'Fill the gap',
  question: 'Question',
};

/** One card at a time: click, Enter or space turns it over; the arrows go to the next. */
export function createCardsPanel(deps: { onSeek(seconds: number): void }): {
  content: HTMLElement;
  show(cards: readonly Flashcard[]): void;
} {
  let cards: readonly Flashcard[] = [];
  let index = 0;
  let isTurned = false;
  const kind = el('span', { class: 'flashcard-kind' });
  const text = el('span', { class: 'flashcard-text', dir: 'auto' });
  const hint = el('span', { class: 'flashcard-hint' });
  const card = el('button', { class: 'flashcard', type: 'button' }, [kind, text, hint], {
    click: () => turn(!isTurned),
  });
  const counter = el('span', { class: 'flashcard-counter' });
  const seek = el('button', { class: 'button', type: 'button' }, ['Hear it'], {
    click() {
      const shown = cards[index];
      if (shown !== undefined) deps.onSeek(shown.start);
    },
  });
  const stepButton = (label: string, path: string, step: number) =>
    el('button', { class: 'button is-square', type: 'button', 'aria-label': label }, [icon(path)], {
      click: () => go(index + step),
    });
  const deck = el(
    'div',
    { class: 'deck' },
    [
      // Read out when it is turned or another one comes.
      el('div', { 'aria-live': 'polite' }, [card]),
      el('div', { class: 'deck-buttons' }, [
        stepButton('Previous card', icons.back, -1),
        counter,
        stepButton('Next card', icons.forward, 1),
        seek,
      ]),
    ],
    {
      keydown(event) {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        event.stopPropagation();
        go(index + (event.key === 'ArrowRight' ? 1 : -1));
      },
    },
  );
  const none = el('p', { class: 'placeholder', hidden: true }, ['No sentence of this lecture was fit for a card.']);
  const content = el('div', {}, [deck, none]);

  const turn = (turned: boolean) => {
    isTurned = turned;
    const shown = cards[index];
    if (shown === undefined) return;
    card.classList.toggle('is-turned', turned);
    setText(kind, turned ? 'Answer' : kinds[shown.type]);
    setText(text, turned ? shown.back : shown.front);
    setText(hint, turned ? 'Turn back' : 'Turn over');
    setText(counter, `${index + 1} of ${cards.length}`);
    seek.setAttribute('aria-label', `Hear it: play from ${toClock(shown.start)}`);
  };
  const go = (to: number) => {
    index = (to + cards.length) % cards.length;
    turn(false);
  };

  return {
    content,
    show(given) {
      cards = given;
      deck.hidden = cards.length === 0;
      none.hidden = cards.length > 0;
      if (cards.length > 0) go(0);
    },
  };
}
