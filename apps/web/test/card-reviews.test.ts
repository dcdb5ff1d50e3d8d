import { ApiError } from '@studymate/client/api-error';
import { mergeReviews } from '@studymate/contracts/merge-reviews';
import type { CardReview } from '@studymate/contracts/reviews';
import { expect, test, vi } from 'vitest';
import { createCardReviews } from '../src/state/card-reviews.ts';

/** An API that keeps reviews in memory, and refuses those of one card. */
function createApi() {
  let kept: CardReview[] = [];
  return {
    getReviews: vi.fn(async () => kept),
    addReviews: vi.fn(async (_: string, added: readonly CardReview[]) => {
      if (added.some(({ cardId }) => cardId === 'wrong')) {
        throw new ApiError(400, null, null, { error: { code: 'invalid_request', message: 'no' } });
      }
      kept = mergeReviews(kept, added);
      return kept;
    }),
    clearReviews: vi.fn(async () => {
      kept = [];
    }),
  };
}

const cardIds = (reviews: readonly CardReview[] | null) => reviews?.map(({ cardId }) => cardId).sort();

test('an answer that is refused does not take along those that wait with it', async () => {
  const client = createApi();
  const store = createCardReviews({ client, lectureId: 'x' });
  for (const cardId of ['a', 'wrong', 'b']) store.rate(cardId, 'good');
  expect(store.unsent.value).toBe(3);
  await vi.waitFor(() => expect(store.unsent.value).toBe(0));
  expect(cardIds(store.reviews.value)).toEqual(['a', 'b']);
  store.close();
});

test('beginning anew waits for the answer on its way, so that it does not come after', async () => {
  const client = createApi();
  const store = createCardReviews({ client, lectureId: 'x' });
  store.rate('a', 'good');
  await store.clear();
  expect(store.reviews.value).toEqual([]);
  expect(await client.getReviews()).toEqual([]);
  expect(client.clearReviews.mock.invocationCallOrder[0]).toBeGreaterThan(
    client.addReviews.mock.invocationCallOrder[0] ?? Number.POSITIVE_INFINITY,
  );
  store.close();
});

test('what waits stays when nothing could be forgotten', async () => {
  const client = createApi();
  client.addReviews.mockRejectedValue(new TypeError('away'));
  client.clearReviews.mockRejectedValue(new TypeError('away'));
  const store = createCardReviews({ client, lectureId: 'x' });
  store.rate('a', 'good');
  await expect(store.clear()).rejects.toThrow('away');
  expect(store.unsent.value).toBe(1);
  store.close();
});
