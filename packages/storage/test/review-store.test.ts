import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createId } from '@studymate/contracts/ids';
import { type CardReview, maxReviewsOfLecture, type StoredReviews } from '@studymate/contracts/reviews';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toJsonBytes } from '../src/artifacts.ts';
import type { BlobStore } from '../src/blob-store.ts';
import { createFileBlobStore } from '../src/file-blob-store.ts';
import { deletionVersion, recordKey, reviewsKey } from '../src/lecture-keys.ts';
import { createReviewStore, type ReviewStore } from '../src/review-store.ts';

let rootDir: string;
let blobs: BlobStore;
let reviews: ReviewStore;
beforeEach(async () => {
  rootDir = await mkdtemp(path.join(tmpdir(), 'studymate-reviews-'));
  blobs = await createFileBlobStore({ rootDir });
  reviews = createReviewStore({ blobs });
});
afterEach(async () => {
  await blobs.close();
  await rm(rootDir, { recursive: true, force: true });
});

const review = (second: number, cardId = 'a'): CardReview => ({
  cardId,
  rating: 'good',
  reviewedAt: new Date(second * 1000).toISOString(),
});
const stored = (...all: CardReview[]): StoredReviews => ({ schemaVersion: 1, reviews: all });

test('adding keeps one version, the newest', async () => {
  const id = createId();
  for (const second of [3, 1, 2]) await reviews.add(id, 'x@y.org', [review(second)]);
  expect(await reviews.read(id, 'x@y.org')).toEqual([review(1), review(2), review(3)]);
  expect(await blobs.list(`lectures/${id}/reviews/`)).toHaveLength(1);
});

test('a version that a dead process left beside a newer one counts for nothing', async () => {
  const id = createId();
  await blobs.create(reviewsKey(id, 'ada', 1), toJsonBytes(stored(review(1))));
  await blobs.create(reviewsKey(id, 'ada', 2), toJsonBytes(stored(review(1), review(2))));
  expect(await reviews.read(id, 'ada')).toEqual([review(1), review(2)]);
  await reviews.add(id, 'ada', [review(3)]);
  expect(await blobs.list(`lectures/${id}/reviews/`)).toEqual([reviewsKey(id, 'ada', 3)]);
});

test('a writer who was overtaken, and is given a number that was used and removed, writes again', async () => {
  const id = createId();
  await reviews.add(id, 'ada', [review(1)]);
  let isFirst = true;
  const slow = createReviewStore({
    blobs: {
      ...blobs,
      async create(key, body) {
        // Between its reading and its writing two others have added something.
        if (isFirst) {
          isFirst = false;
          await reviews.add(id, 'ada', [review(2)]);
          await reviews.add(id, 'ada', [review(3)]);
        }
        return blobs.create(key, body);
      },
    },
  });
  const all = [1, 2, 3, 4].map((second) => review(second));
  expect(await slow.add(id, 'ada', [review(4)])).toEqual(all);
  expect(await reviews.read(id, 'ada')).toEqual(all);
});

test('what was forgotten does not come back with a writer who had read it before', async () => {
  const id = createId();
  await reviews.add(id, 'ada', [review(1), review(2)]);
  let isFirst = true;
  const slow = createReviewStore({
    blobs: {
      ...blobs,
      async create(key, body) {
        if (isFirst) {
          isFirst = false;
          await reviews.clear(id, 'ada');
        }
        return blobs.create(key, body);
      },
    },
  });
  expect(await slow.add(id, 'ada', [review(3)])).toEqual([review(3)]);
  await reviews.clear(id, 'ada');
  await reviews.clear(id, 'ada');
  expect(await reviews.read(id, 'ada')).toEqual([]);
  expect(await blobs.list(`lectures/${id}/reviews/`)).toHaveLength(1);
});

test('a version that is listed and cannot be read ends in an error, and not in asking for ever', async () => {
  const id = createId();
  const lagging = createReviewStore({ blobs: { ...blobs, list: async () => [reviewsKey(id, 'ada', 1)] } });
  await expect(lagging.read(id, 'ada')).rejects.toMatchObject({ code: 'storage_unavailable' });
});

test('a lecture that is deleted meanwhile keeps nothing; too many are refused', async () => {
  const id = createId();
  await blobs.create(recordKey(id, deletionVersion), new Uint8Array());
  await expect(reviews.add(id, 'ada', [review(1)])).rejects.toMatchObject({ code: 'not_found' });
  expect(await blobs.list(`lectures/${id}/reviews/`)).toEqual([]);
  const many = Array.from({ length: maxReviewsOfLecture }, (_, i) => review(i));
  const other = createId();
  await reviews.add(other, 'ada', many);
  await expect(reviews.add(other, 'ada', [review(1, 'b')])).rejects.toMatchObject({ code: 'limit_reached' });
  expect(await reviews.read(other, 'ada')).toHaveLength(maxReviewsOfLecture);
});
