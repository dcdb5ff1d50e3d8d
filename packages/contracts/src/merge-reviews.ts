import type { CardReview } from './reviews.ts';

/**
 * Both put together in the order of time; a card is looked at once at a time, so what comes a second time is the same.
 */
export function mergeReviews(known: readonly CardReview[], added: readonly CardReview[]): CardReview[] {
  const merged = new Map<string, CardReview>();
  for (const { cardId, rating, reviewedAt } of [...known, ...added]) {
    const time = new Date(reviewedAt).toISOString();
    const key = `${time} ${cardId}`;
    if (!merged.has(key)) merged.set(key, { cardId, rating, reviewedAt: time });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, review]) => review);
}
