import { expect, it } from 'vitest';
import { createBufferPlaces } from '../src/buffer-places.ts';

const mebibyte = 2 ** 20;

it('places: as many as there is memory for; a little needs none, and one that is released is free again', () => {
  const places = createBufferPlaces(64 * mebibyte);
  const holders = Array.from({ length: 4 }, () => ({}));
  for (const holder of holders) places.hold(holder, 2 * mebibyte);
  // Who has one keeps it.
  places.hold(holders[0] as object, 60 * mebibyte);
  const late = {};
  places.hold(late, mebibyte);
  expect(() => places.hold(late, mebibyte + 1)).toThrow(
    expect.objectContaining({ code: 'unavailable', retryable: true }),
  );
  places.release(holders[3] as object);
  places.hold(late, 2 * mebibyte);
});
