import { afterAll, beforeAll, expect, test } from 'vitest';
import { maxUploads, planLoad } from '../../bench/lib/load-plan.ts';
import { makeMaterial } from '../../bench/lib/load-visitor.ts';
import { putLoad, toFigures } from '../../bench/lib/put-load.ts';
import { excerpt } from '../support/recordings.ts';
import { type Copies, startCopies } from './support/copies.ts';
import { request, toJson, toMultipart } from './support/http.ts';

let copies: Copies;
beforeAll(async () => {
  copies = await startCopies({ apis: 3, worker: true });
});
afterAll(() => copies?.close());

test('the plan of the load: the same for the same seed, with so many uploads at most', () => {
  const plan = planLoad({ seed: 3, count: 5_000, visitors: 200 });
  expect(planLoad({ seed: 3, count: 5_000, visitors: 200 })).toEqual(plan);
  expect(planLoad({ seed: 4, count: 5_000, visitors: 200 })).not.toEqual(plan);
  expect(plan.filter(({ kind }) => kind === 'upload')).toHaveLength(maxUploads);
});

test('the mix of npm run load through the gateway: more than 70 % of what may be kept comes from the caches, and nothing fails', async () => {
  const bytes = Buffer.from(await (await excerpt('lecture.mp3', 10, 10)).arrayBuffer());
  const made = await request(`${copies.gateway.baseUrl}/api/v1/lectures`, {
    method: 'POST',
    ...toMultipart('lecture.mp3', bytes),
  });
  const { id } = toJson(made) as { id: string };
  await request(`${copies.gateway.baseUrl}/api/v1/lectures/${id}/events`);
  const material = await makeMaterial();
  const put = { seconds: 240, sideBySide: 16, seed: 1, count: 700, material, lectureIds: [id] };
  const figures = toFigures(await putLoad(copies.gateway.baseUrl, put));
  expect(figures.requests).toBe(700);
  expect(figures.errorShare).toBeLessThan(0.01);
  expect(figures.cacheHitShare).toBeGreaterThan(0.7);
  expect(figures.gatewayHitShare).toBeGreaterThan(0.7);
});
