import type { CardReview } from '@studymate/contracts/reviews';
import { testRedisUrl } from '@studymate/queue/testing';
import { createKeyStore } from '@studymate/storage/key-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeLecture } from './support/made-lecture.ts';
import { startTestApi, type TestApi } from './support/test-api.ts';

let t: TestApi;
let ada: string;
let bob: string;
beforeAll(async () => {
  t = await startTestApi({ redisUrl: testRedisUrl(), env: { AUTH: 'keys' } });
  const keys = createKeyStore(t);
  ada = (await keys.create({ owner: 'ada', label: '' })).key;
  bob = (await keys.create({ owner: 'bob', label: '' })).key;
});
afterAll(async () => {
  await t?.close();
});

const review = (cardId: string, minute: number, rating: CardReview['rating'] = 'good'): CardReview => ({
  cardId,
  rating,
  reviewedAt: new Date(Date.UTC(2026, 0, 2, 10, minute)).toISOString(),
});

test('reviews of two devices are put together in the order of time, and what comes twice is there once', async () => {
  const { id } = await makeLecture(t, { owner: 'ada' });
  const client = t.clientFor(ada);
  expect(await client.getReviews(id)).toEqual([]);
  await client.addReviews(id, [review('a', 5), review('b', 6)]);
  const all = [review('a', 1, 'again'), review('a', 5), review('b', 6)];
  expect(await client.addReviews(id, [review('a', 1, 'again'), review('a', 5)])).toEqual(all);
  expect(await client.getReviews(id)).toEqual(all);
});

test('many requests at once: none of their reviews is lost', async () => {
  const { id } = await makeLecture(t, { owner: 'ada' });
  const client = t.clientFor(ada);
  await Promise.all(Array.from({ length: 12 }, (_, i) => client.addReviews(id, [review('a', i)])));
  expect(await client.getReviews(id)).toHaveLength(12);
});

test('a member of the course has reviews of their own, and all go with the lecture', async () => {
  const { id: courseId } = await t.clientFor(ada).createCourse('Printing');
  await t.clientFor(ada).addMember(courseId, 'bob');
  const { id } = await makeLecture(t, { owner: 'ada', courseId });
  await t.clientFor(ada).addReviews(id, [review('a', 1)]);
  await t.clientFor(bob).addReviews(id, [review('a', 2, 'easy')]);
  expect(await t.clientFor(ada).getReviews(id)).toEqual([review('a', 1)]);
  expect(await t.clientFor(bob).getReviews(id)).toEqual([review('a', 2, 'easy')]);
  await t.clientFor(bob).clearReviews(id);
  expect(await t.clientFor(bob).getReviews(id)).toEqual([]);
  expect(await t.clientFor(ada).getReviews(id)).toEqual([review('a', 1)]);
  await t.clientFor(ada).deleteLecture(id);
  expect((await t.blobs.list(`lectures/${id}/`)).filter((key) => key.includes('reviews'))).toEqual([]);
});

test.for([
  ['no reviews', []],
  ['another rating', [{ ...review('a', 1), rating: 'perfect' }]],
  ['a card that is a path', [review('../a', 1)]],
  ['a time in the future', [{ ...review('a', 1), reviewedAt: '2999-01-01T00:00:00.000Z' }]],
  ['too many', Array.from({ length: 501 }, (_, i) => review(`card-${i}`, 1))],
] as const)('%s: refused, and nothing is kept', async ([, reviews]) => {
  const { id } = await makeLecture(t, { owner: 'ada' });
  const response = await fetch(`${t.url}/api/v1/lectures/${id}/reviews`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': ada },
    body: JSON.stringify({ reviews }),
  });
  expect(response.status).toBe(400);
  expect(((await response.json()) as { error: { code: string } }).error.code).toBe('invalid_request');
  expect(await t.clientFor(ada).getReviews(id)).toEqual([]);
});
