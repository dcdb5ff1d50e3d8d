import type { CardReview, ReviewRating } from '@studymate/contracts/reviews';
import { createEmptyCard, type Card as FsrsCard, fsrs, type Grade, Rating } from 'ts-fsrs';

/** What is known of a card, by all the answers that were given to it. */
export interface CardProgress {
  /** When it should be asked next, in milliseconds since 1970; a card that was never asked is always due. */
  dueMs: number;
  isNew: boolean;
  /** Seconds until it would be asked again, for each answer that can be given now. */
  nextSeconds: Readonly<Record<ReviewRating, number>>;
}

const grades: Readonly<Record<ReviewRating, Grade>> = {
  again: Rating.Again,
  hard: Rating.Hard,
  good: Rating.Good,
  easy: Rating.Easy,
};

/**
 * FSRS (https://github.com/open-spaced-repetition) with its published weights: nine of ten answers should be known.
 * Without its random spread, so that every device comes to the same.
 */
const scheduler = fsrs({ request_retention: 0.9, enable_fuzz: false });

/** @param reviews those of one card, in the order of time */
export function toProgress(reviews: readonly CardReview[], nowMs: number): CardProgress {
  let card: FsrsCard = createEmptyCard(new Date(reviews[0]?.reviewedAt ?? nowMs));
  for (const { rating, reviewedAt } of reviews) card = scheduler.next(card, new Date(reviewedAt), grades[rating]).card;
  // A device whose clock was ahead must not stop the others.
  const now = new Date(Math.max(nowMs, card.last_review?.getTime() ?? 0));
  const after = (rating: ReviewRating) =>
    (scheduler.next(card, now, grades[rating]).card.due.getTime() - now.getTime()) / 1000;
  return {
    dueMs: reviews.length === 0 ? 0 : card.due.getTime(),
    isNew: reviews.length === 0,
    nextSeconds: { again: after('again'), hard: after('hard'), good: after('good'), easy: after('easy') },
  };
}

/** The cards to ask now: those that are due, the one first that has waited longest, and then those never asked, in order. */
export function findDue(
  cardIds: readonly string[],
  reviews: readonly CardReview[],
  nowMs: number,
): { due: string[]; nextDueMs: number | null } {
  const byCard = new Map<string, CardReview[]>(cardIds.map((cardId) => [cardId, []]));
  for (const review of reviews) byCard.get(review.cardId)?.push(review);
  const known = [...byCard].map(([cardId, own]) => ({ cardId, ...toProgress(own, nowMs) }));
  const old = known.filter(({ isNew, dueMs }) => !isNew && dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
  const later = known.filter(({ dueMs }) => dueMs > nowMs).map(({ dueMs }) => dueMs);
  return {
    due: [...old, ...known.filter(({ isNew }) => isNew)].map(({ cardId }) => cardId),
    nextDueMs: later.length === 0 ? null : Math.min(...later),
  };
}
