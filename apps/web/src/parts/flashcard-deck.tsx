import type { Flashcard } from '@studymate/contracts/study';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useMessages } from '../state/app.ts';
import { toClock } from '../text/format.ts';
import { Icon } from './icon.tsx';

/**
 * One card at a time: click, Enter or space turns it over; the arrows go to the next. A digit presses the button among
 * the children that has it as `data-key`.
 */
export function FlashcardDeck(props: {
  cards: readonly Flashcard[];
  onSeek(seconds: number): void;
  children(card: Flashcard, isTurned: boolean): ComponentChildren;
}) {
  const m = useMessages();
  const { cards, onSeek } = props;
  const deck = useRef<HTMLFieldSetElement>(null);
  const [at, setAt] = useState(0);
  const [turnedId, setTurnedId] = useState<string | null>(null);
  // The deck gets shorter as cards are answered.
  const index = Math.min(at, cards.length - 1);
  const card = cards[index];
  useEffect(() => {
    // What had the focus may have gone with the answer.
    if (document.activeElement === document.body) deck.current?.querySelector<HTMLElement>('.flashcard')?.focus();
  });
  if (card === undefined) return null;
  const isTurned = turnedId === card.id;
  const step = (by: number) => {
    setAt((index + by + cards.length) % cards.length);
    setTurnedId(null);
  };
  const onKey = (event: KeyboardEvent) => {
    const isMirrored = getComputedStyle(event.currentTarget as Element).direction === 'rtl';
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      step((event.key === 'ArrowRight') !== isMirrored ? 1 : -1);
    } else if (/^[1-9]$/.test(event.key)) {
      deck.current?.querySelector<HTMLElement>(`[data-key="${event.key}"]`)?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <fieldset ref={deck} class="deck" aria-label={m.stages.flashcards} onKeyDown={onKey}>
      {/* Read out when it is turned or another one comes. */}
      <div aria-live="polite">
        <button
          class={isTurned ? 'flashcard is-turned' : 'flashcard'}
          type="button"
          onClick={() => setTurnedId(isTurned ? null : card.id)}
        >
          <span class="flashcard-kind">{isTurned ? m.cards.answer : m.cards.kinds[card.type]}</span>
          <span class="flashcard-text" dir="auto">
            {isTurned ? card.back : card.front}
          </span>
          {isTurned && (
            <span class="flashcard-front" dir="auto">
              {card.front}
            </span>
          )}
          <span class="flashcard-hint">{isTurned ? m.cards.turnBack : m.cards.turnOver}</span>
        </button>
      </div>
      {props.children(card, isTurned)}
      <div class="deck-buttons">
        <button class="button is-square" type="button" aria-label={m.cards.previous} onClick={() => step(-1)}>
          <Icon name="back" />
        </button>
        <span class="flashcard-counter">{m.cards.place(index + 1, cards.length)}</span>
        <button class="button is-square" type="button" aria-label={m.cards.next} onClick={() => step(1)}>
          <Icon name="forward" />
        </button>
        <button
          class="button"
          type="button"
          aria-label={m.cards.hearFrom(toClock(card.start))}
          onClick={() => onSeek(card.start)}
        >
          {m.cards.hear}
        </button>
      </div>
    </fieldset>
  );
}
