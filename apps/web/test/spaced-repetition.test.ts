import type { CardReview, ReviewRating } from '@studymate/contracts/reviews';
import { expect, test } from 'vitest';
import { findDue, toProgress } from '../src/state/spaced-repetition.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 5, 9);
const review = (cardId: string, afterMs: number, rating: ReviewRating = 'good'): CardReview => ({
  cardId,
  rating,
  reviewedAt: new Date(startMs + afterMs).toISOString(),
});

test('the better a card is known, the later it comes again', () => {
  const { nextSeconds, isNew, dueMs } = toProgress([], startMs);
  expect([isNew, dueMs]).toEqual([true, 0]);
  const { again, hard, good, easy } = nextSeconds;
  expect([again, hard, good, easy]).toEqual([again, hard, good, easy].sort((a, b) => a - b));
  expect(again).toBe(60);
  expect(easy).toBeGreaterThan(dayMs / 1000);
});

test('a card that is known again and again waits longer each time, and after a mistake is back within minutes', () => {
  const reviews: CardReview[] = [];
  const waits: number[] = [];
  let atMs = 0;
  for (let i = 0; i < 5; i++) {
    reviews.push(review('a', atMs));
    const { dueMs } = toProgress(reviews, startMs + atMs);
    waits.push(dueMs - startMs - atMs);
    atMs = dueMs - startMs;
  }
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(waits.at(-1)).toBeGreaterThan(20 * dayMs);
  reviews.push(review('a', atMs, 'again'));
  expect(toProgress(reviews, startMs + atMs).dueMs - startMs - atMs).toBeLessThan(3_600_000);
});

test('the same answers give the same on every device, whatever the time', () => {
  const reviews = [review('a', 0), review('a', 700_000), review('a', 3 * dayMs, 'hard')];
  expect(toProgress(reviews, startMs + 4 * dayMs).dueMs).toBe(toProgress(reviews, startMs + 40 * dayMs).dueMs);
});

test('due are first the cards that have waited longest, then those never asked; the others have their time', () => {
  const reviews = [review('b', 0, 'again'), review('d', 1000, 'again'), review('c', 2000, 'easy')];
  expect(findDue(['a', 'b', 'c', 'd', 'e'], reviews, startMs + 3_600_000)).toEqual({
    due: ['b', 'd', 'a', 'e'],
    nextDueMs: toProgress([review('c', 2000, 'easy')], startMs).dueMs,
  });
  expect(findDue([], reviews, startMs)).toEqual({ due: [], nextDueMs: null });
});
