import type { StoredEvent } from '@studymate/queue/events';
import { expect, test } from 'vitest';
import { createLectureFeed } from '../src/lectures/lecture-feed.ts';

/** A reader whose answers come when the test says. */
function makeReader() {
  const asked: { id: string; answer: (events: StoredEvent[]) => void; fail: (error: Error) => void }[] = [];
  const wakers = new Map<string, () => void>();
  const feed = createLectureFeed({
    events: {
      readAfter: (_lectureId, id) =>
        new Promise((answer, fail) => {
          asked.push({ id, answer, fail });
        }),
      onWake(lectureId, listener) {
        wakers.set(lectureId, listener);
        return () => wakers.delete(lectureId);
      },
    },
  });
  return { feed, asked, wakers };
}
const event = (id: string): StoredEvent => ({ id, event: { type: 'end', status: 'ready' } });

test('many listeners who ask for the same at the same time: it is read once', async () => {
  const { feed, asked } = makeReader();
  const all = Array.from({ length: 1_000 }, () => feed.readAfter('a', '0-0', 10));
  expect(asked).toHaveLength(1);
  asked[0]?.answer([event('1-0')]);
  expect(new Set(await Promise.all(all)).size).toBe(1);
  void feed.readAfter('a', '1-0', 10);
  void feed.readAfter('b', '1-0', 10);
  expect(asked).toHaveLength(3);
});

test('a listener woken while an older read is on its way: reads anew, for that one may lack the news', async () => {
  const { feed, asked, wakers } = makeReader();
  let rang = 0;
  feed.onWake('a', () => rang++);
  const before = feed.readAfter('a', '0-0', 10);
  wakers.get('a')?.();
  const after = feed.readAfter('a', '0-0', 10);
  expect([rang, asked.length]).toEqual([1, 2]);
  asked[0]?.answer([]);
  asked[1]?.answer([event('1-0')]);
  expect([await before, await after]).toEqual([[], [event('1-0')]]);
});

test('a read that fails: fails for all who shared it, and the next one asks again', async () => {
  const { feed, asked } = makeReader();
  const both = [feed.readAfter('a', '0-0', 10), feed.readAfter('a', '0-0', 10)];
  asked[0]?.fail(new Error('away'));
  for (const each of both) await expect(each).rejects.toThrow('away');
  void feed.readAfter('a', '0-0', 10);
  expect(asked).toHaveLength(2);
});

test('the last listener of a lecture leaves: nothing of it is followed any more; another may come after', () => {
  const { feed, wakers } = makeReader();
  const leave = [feed.onWake('a', () => {}), feed.onWake('a', () => {})];
  leave[0]?.();
  expect(wakers.size).toBe(1);
  leave[1]?.();
  expect(wakers.size).toBe(0);
  let rang = 0;
  feed.onWake('a', () => rang++);
  leave[1]?.();
  wakers.get('a')?.();
  expect(rang).toBe(1);
});
