import type { IncomingMessage } from 'node:http';
import type { AppError } from '@studymate/contracts/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { requireMinimumRate } from '../src/http/minimum-rate.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A request whose body comes as the test says; the clock stands still between. */
function makeRequest() {
  const req = { socket: { bytesRead: 1_000 }, complete: false, readableLength: 0 };
  const slow: AppError[] = [];
  const stop = requireMinimumRate(req as unknown as IncomingMessage, (error) => slow.push(error), {
    minBytes: 100,
    windowMs: 60_000,
  });
  const pass = (bytes: number) => {
    req.socket.bytesRead += bytes;
    vi.advanceTimersByTime(60_000);
  };
  return { req, slow, stop, pass };
}

test('a body that comes slowly but steadily: is taken for as long as it lasts', () => {
  const { slow, pass } = makeRequest();
  for (let i = 0; i < 600; i++) pass(100);
  expect(slow).toEqual([]);
});

test('a body that only dribbles, after a good beginning: refused, once', () => {
  const { slow, pass } = makeRequest();
  pass(1_000_000);
  pass(99);
  pass(0);
  expect(slow).toMatchObject([{ code: 'request_timeout' }]);
});

test('time in which we ourselves do not read on: not held against the caller', () => {
  const { req, slow, pass } = makeRequest();
  req.readableLength = 65_536;
  pass(0);
  req.readableLength = 0;
  pass(100);
  expect(slow).toEqual([]);
});

test('a body that has come whole, and one that is not asked about any more: not refused', () => {
  const whole = makeRequest();
  whole.req.complete = true;
  whole.pass(0);
  const over = makeRequest();
  over.stop();
  over.pass(0);
  expect([...whole.slow, ...over.slow]).toEqual([]);
});
