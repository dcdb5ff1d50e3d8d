import type { ReviewRating } from '@studymate/contracts/reviews';
import type { Flashcard } from '@studymate/contracts/study';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { createCardReviews } from '../state/card-reviews.ts';
import { findDue, toProgress } from '../state/spaced-repetition.ts';
import { toAbout } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';
import { FlashcardDeck } from './flashcard-deck.tsx';
import { hasLostFocus } from './lost-focus.ts';
import { Quiz } from './quiz.tsx';

const ratings: readonly ReviewRating[] = ['again', 'hard', 'good', 'easy'];

interface CardsPanelProps {
  lectureId: string;
  cards: readonly Flashcard[];
  onSeek(seconds: number): void;
}

/** The cards that are due, by spaced repetition, or all of them. */
export default function CardsPanel({ lectureId, cards, onSeek }: CardsPanelProps) {
  const { client, notices, messages } = useApp();
  const m = useMessages();
  const store = useMemo(() => createCardReviews({ client, lectureId }), [client, lectureId]);
  useEffect(() => () => store.close(), [store]);
  const reviews = store.reviews.value;
  const [mode, setMode] = useState<'due' | 'all' | 'quiz'>('due');
  // Chosen once for each round: a card that is answered must not come back in between.
  const [round, setRound] = useState<readonly string[] | null>(null);
  const cardIds = useMemo(() => cards.map(({ id }) => id), [cards]);
  useEffect(() => {
    if (reviews !== null && round === null) setRound(findDue(cardIds, reviews, Date.now()).due);
  }, [reviews, round, cardIds]);

  const hasAnswered = useRef(false);
  const byId = new Map(cards.map((card) => [card.id, card]));
  const due = (round ?? []).flatMap((id) => byId.get(id) ?? []);
  const rate = (card: Flashcard, rating: ReviewRating) => {
    hasAnswered.current = true;
    store.rate(card.id, rating);
    const rest = (round ?? []).filter((id) => id !== card.id);
    // Not known: once more before the round ends.
    setRound(rating === 'again' ? [...rest, card.id] : rest);
  };
  const clear = async () => {
    try {
      await store.clear();
      setRound(cardIds);
    } catch (error) {
      notices.note(toMessage(error, messages.peek()));
    }
  };
  if (cards.length === 0) return <p class="placeholder">{m.cards.none}</p>;
  if (reviews === null) return <p class="placeholder">{m.cards.loading}</p>;
  const learnt = new Set(reviews.map(({ cardId }) => cardId)).size;
  return (
    <div class="cards">
      <fieldset class="choices">
        <legend>{m.cards.which}</legend>
        {(['due', 'all', 'quiz'] as const).map((each) => (
          <button key={each} class="choice" type="button" aria-pressed={each === mode} onClick={() => setMode(each)}>
            {each === 'due' ? m.cards.due(due.length) : each === 'all' ? m.cards.all(cards.length) : m.quiz.title}
          </button>
        ))}
      </fieldset>
      {mode === 'quiz' && <Quiz lectureId={lectureId} onSeek={onSeek} />}
      {mode === 'due' && due.length === 0 && (
        <NothingDue
          cardIds={cardIds}
          reviews={reviews}
          takesFocus={hasAnswered.current}
          onLook={() => setRound(null)}
        />
      )}
      {(mode === 'all' || (mode === 'due' && due.length > 0)) && (
        <FlashcardDeck key={mode} cards={mode === 'all' ? cards : due} onSeek={onSeek}>
          {(card, isTurned) => (
            <div class="ratings">
              {isTurned ? (
                ratings.map((rating, i) => (
                  <button
                    key={rating}
                    class="button rating"
                    type="button"
                    data-key={i + 1}
                    onClick={() => rate(card, rating)}
                  >
                    {m.cards.ratings[rating]}
                    <small>
                      {toAbout(
                        toProgress(
                          reviews.filter(({ cardId }) => cardId === card.id),
                          Date.now(),
                        ).nextSeconds[rating],
                        m,
                      )}
                    </small>
                  </button>
                ))
              ) : (
                <p class="deck-hint">{m.cards.think}</p>
              )}
            </div>
          )}
        </FlashcardDeck>
      )}
      <p class="deck-note">
        {m.cards.learnt(learnt, cards.length)}
        {store.unsent.value > 0 && ` · ${m.cards.unsent(store.unsent.value)}`}
        {learnt > 0 && (
          <button class="link" type="button" onClick={() => void clear()}>
            {m.cards.clear}
          </button>
        )}
      </p>
    </div>
  );
}

function NothingDue(props: {
  cardIds: readonly string[];
  reviews: Parameters<typeof findDue>[1];
  takesFocus: boolean;
  onLook(): void;
}) {
  const m = useMessages();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The last card went with its answer, and what had the focus.
    if (props.takesFocus && hasLostFocus()) button.current?.focus();
  }, [props.takesFocus]);
  const { nextDueMs } = findDue(props.cardIds, props.reviews, Date.now());
  const inSeconds = nextDueMs === null ? null : (nextDueMs - Date.now()) / 1000;
  return (
    <div class="message-card card">
      <p>
        <strong>{m.cards.nothingDue}</strong>
      </p>
      <p>{inSeconds === null ? '' : m.cards.nextIn(toAbout(Math.max(5, inSeconds), m))}</p>
      <button ref={button} class="button" type="button" onClick={props.onLook}>
        {m.cards.look}
      </button>
    </div>
  );
}
