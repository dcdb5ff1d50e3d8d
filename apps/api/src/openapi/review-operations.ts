import { addReviewsSchema, reviewsSchema } from '@studymate/contracts/reviews';
import { type Answer, lectureErrors, type Operations } from './operation.ts';

const reviews: Answer = {
  description: 'All of the caller’s own reviews, in the order of time.',
  content: { 'application/json': reviewsSchema },
};

export const reviewOperations: Operations = {
  'GET /api/v1/lectures/:id/reviews': {
    tag: 'Parts of a lecture',
    summary: 'What the caller has answered to the flashcards.',
    answers: { 200: reviews },
    errors: lectureErrors,
  },
  'POST /api/v1/lectures/:id/reviews': {
    tag: 'Parts of a lecture',
    summary: 'Adds answers to flashcards; those that are there already change nothing.',
    body: { required: true, content: { 'application/json': addReviewsSchema } },
    answers: { 200: reviews },
    errors: [...lectureErrors, 'limit_reached', 'storage_full'],
  },
  'DELETE /api/v1/lectures/:id/reviews': {
    tag: 'Parts of a lecture',
    summary: 'Forgets all of the caller’s answers.',
    answers: { 204: { description: 'They are gone.' } },
    errors: [...lectureErrors, 'storage_full'],
  },
};
