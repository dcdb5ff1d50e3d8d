import { expect, test, vi } from 'vitest';
import { createDraftMemory, type DraftStore, type RememberedDraft } from '../src/state/draft-memory.ts';
import type { Change } from '../src/state/text-draft.ts';

/** What two windows of a browser share. */
function createStore() {
  const kept = new Map<string, RememberedDraft>();
  const update = vi.fn<DraftStore['update']>(async (key, toNext) => {
    kept.set(key, toNext(kept.get(key)));
  });
  const store: DraftStore = {
    entries: async () => [...kept],
    update,
    async delete(keys) {
      for (const key of keys) kept.delete(key);
    },
  };
  return { kept, update, store };
}

const change = (start: number, text: string): Change => ({ start, end: start + 1, text, from: 'heard' });
const ofAda = { owner: 'ada', lectureId: 'x' };
const ofBob = { owner: 'bob', lectureId: 'x' };
const textsOf = (changes: readonly Change[]) => changes.map(({ text }) => text);

test('a window takes away only what it has written itself', async () => {
  const { store } = createStore();
  const [one, two] = [createDraftMemory(store), createDraftMemory(store)];
  await one.note(ofAda, [{ before: null, after: change(5, 'A') }]);
  await two.note(ofAda, [{ before: change(5, 'A'), after: change(5, 'B') }]);
  await one.note(ofAda, [{ before: change(5, 'A'), after: null }]);
  expect(textsOf(await one.read(ofAda))).toEqual(['B']);
  await two.note(ofAda, [{ before: change(5, 'B'), after: null }]);
  expect(await one.read(ofAda)).toEqual([]);
});

test('a sign-out takes one person’s corrections, and none where it is not known whose', async () => {
  const { store } = createStore();
  const memory = createDraftMemory(store);
  for (const draftOf of [ofAda, ofBob]) await memory.note(draftOf, [{ before: null, after: change(0, draftOf.owner) }]);
  await memory.forgetAll(null);
  await memory.forgetAll('ada');
  // A view that closes after it.
  await memory.note(ofAda, [{ before: null, after: change(1, 'late') }]);
  expect([await memory.list('ada'), await memory.list('bob')]).toEqual([[], [{ lectureId: 'x', count: 1 }]]);
});

test('what the browser does not keep is told, there as long as the page, and kept as soon as there is room', async () => {
  const { store, update, kept } = createStore();
  const memory = createDraftMemory(store);
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  update.mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'));
  await memory.note(ofAda, [{ before: null, after: change(0, 'first') }]);
  expect([memory.isKept.value, textsOf(await memory.read(ofAda)), kept.size, warn.mock.calls.length]).toEqual([
    false,
    ['first'],
    0,
    1,
  ]);
  warn.mockRestore();
  await memory.note(ofAda, [{ before: null, after: change(1, 'second') }]);
  expect([memory.isKept.value, textsOf([...(kept.values().next().value?.changes.values() ?? [])])]).toEqual([
    true,
    ['first', 'second'],
  ]);
});

test('corrections of a lecture that is deleted go, and so do those of a month ago and of the fifty-first lecture', async () => {
  const { store, kept } = createStore();
  const memory = createDraftMemory(store);
  const old = Date.now() - 31 * 86_400_000;
  kept.set('old ada', { owner: 'ada', lectureId: 'old', changedAt: old, changes: new Map([['0 1', change(0, 'a')]]) });
  for (let i = 0; i < 51; i++) {
    const lectureId = `lecture-${i}`;
    kept.set(`${lectureId} ada`, {
      owner: 'ada',
      lectureId,
      changedAt: Date.now() - i,
      changes: new Map([['0 1', change(0, 'a')]]),
    });
  }
  await memory.read(ofAda);
  expect([kept.size, kept.has('old ada'), kept.has('lecture-50 ada')]).toEqual([50, false, false]);
  await memory.forget({ owner: 'ada', lectureId: 'lecture-0' });
  expect(kept.has('lecture-0 ada')).toBe(false);
});
