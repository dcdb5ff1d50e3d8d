import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPerson } from '../src/state/person.ts';

/** All windows of a browser but the one that speaks hear what is said. */
class Channel extends EventTarget {
  static open: Channel[] = [];
  constructor() {
    super();
    Channel.open.push(this);
  }
  postMessage(data: unknown) {
    for (const each of Channel.open) if (each !== this) each.dispatchEvent(new MessageEvent('message', { data }));
  }
}

beforeEach(() => {
  Channel.open = [];
  vi.stubGlobal('BroadcastChannel', Channel);
  vi.stubGlobal('window', globalThis);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('a window that does not know whose it is hears who has signed out in another', () => {
  const onLeft = vi.fn();
  createPerson({ onOther() {}, onLeft });
  const other = createPerson({ onOther() {}, onLeft() {} });
  other.meet('ada');
  other.leave();
  expect(onLeft.mock.calls).toEqual([['ada']]);
});
