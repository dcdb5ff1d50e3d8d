import { AppError } from '@studymate/contracts/errors';
import { addReviewsSchema, type CardReview, type Reviews } from '@studymate/contracts/reviews';
import type { ReviewStore } from '@studymate/storage/review-store';
import type { Router } from 'express';
import { ownerOf } from '../auth/owner.ts';
import { addRoute } from '../http/add-route.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { LectureReader } from './lecture-reader.ts';

/** 500 reviews have some 60 kB. */
const maxBodyBytes = 128 * 1024;
/** By which a device's clock may be ahead of ours. */
const maxAheadMs = 86_400_000;

/** /api/v1/lectures/:id/reviews: each who may read a lecture has reviews of their own. */
export function addReviewRoutes(
  router: Router,
  deps: { reviews: ReviewStore; reader: Pick<LectureReader, 'readRecord'> },
): void {
  const { reviews, reader } = deps;
  addRoute(router, '/api/v1/lectures/:id/reviews', {
    async get(req, res) {
      const person = ownerOf(res);
      const { id } = await reader.readRecord(person, req.params.id);
      res.json({ reviews: await reviews.read(id, person) } satisfies Reviews);
    },
    async post(req, res) {
      const person = ownerOf(res);
      const { id } = await reader.readRecord(person, req.params.id);
      const { reviews: added } = await readJsonBody(req, { schema: addReviewsSchema, maxBytes: maxBodyBytes });
      checkTimes(added);
      res.json({ reviews: await reviews.add(id, person, added) } satisfies Reviews);
    },
    async delete(req, res) {
      const person = ownerOf(res);
      const { id } = await reader.readRecord(person, req.params.id);
      await reviews.clear(id, person);
      res.status(204).end();
    },
  });
}

/** @throws AppError `invalid_request` */
function checkTimes(reviews: readonly CardReview[]): void {
  const latestMs = Date.now() + maxAheadMs;
  const wrong = reviews.findIndex(({ reviewedAt }) => Date.parse(reviewedAt) > latestMs);
  if (wrong >= 0) throw new AppError('invalid_request', `reviews.${wrong}.reviewedAt: lies in the future`);
}
