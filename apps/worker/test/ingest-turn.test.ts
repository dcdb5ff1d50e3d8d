import { expect, test } from 'vitest';
import { priorities } from '../src/model-ops.ts';
import { toIngestPriority } from '../src/stages/ingest-turn.ts';

const older = '2026-01-01T10:00:00.000Z';
const newer = '2026-01-01T10:00:00.001Z';

test('a new recording comes before all that have had their first ten minutes, however early those came', () => {
  expect(toIngestPriority(newer, 0)).toBe(priorities.vad);
  expect(toIngestPriority(newer, 599)).toBe(toIngestPriority(older, 0));
  expect(toIngestPriority(newer, 599)).toBeLessThan(toIngestPriority(older, 600));
});

test('of recordings that have had theirs the one that was uploaded first comes first, and before later chunks', () => {
  expect(toIngestPriority(older, 20_000)).toBeLessThan(toIngestPriority(newer, 600));
  expect(toIngestPriority('5000-01-01T00:00:00.000Z', 600)).toBeLessThan(priorities.chunk);
});
