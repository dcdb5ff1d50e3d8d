import { z } from 'zod';

/** How well a card was known, from not at all to at once; what spaced repetition (FSRS) asks after each card. */
export const reviewRatings = ['again', 'hard', 'good', 'easy'] as const;
export type ReviewRating = (typeof reviewRatings)[number];

/**
 * One look at one flashcard. What is known of a card follows from all of them in order, so those of several devices are
 * simply put together.
 */
export const cardReviewSchema = z.strictObject({
  cardId: z.string().regex(/^[\w-]{1,64}$/),
  rating: z.enum(reviewRatings),
  reviewedAt: z.iso.datetime(),
});
export type CardReview = z.infer<typeof cardReviewSchema>;

export const maxReviewsOfRequest = 500;
/** Of one person in one lecture. */
export const maxReviewsOfLecture = 10_000;

/** Body and answer of `/api/v1/lectures/:id/reviews`. */
export const addReviewsSchema = z.strictObject({ reviews: z.array(cardReviewSchema).min(1).max(maxReviewsOfRequest) });
export const reviewsSchema = z.object({ reviews: z.array(cardReviewSchema) });
export type Reviews = z.infer<typeof reviewsSchema>;

/** A person's reviews as they are kept, in the order of time. */
export const storedReviewsSchema = z.object({ schemaVersion: z.literal(1), reviews: z.array(cardReviewSchema) });
export type StoredReviews = z.infer<typeof storedReviewsSchema>;
