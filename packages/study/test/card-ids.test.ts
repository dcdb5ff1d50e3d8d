import type { StoredFlashcard } from '@studymate/contracts/study';
import { expect, test } from 'vitest';
import { keepCardIds } from '../src/card-ids.ts';

const card = (id: string, front: string, back: string, start: number): StoredFlashcard => {
  return { id, type: 'cloze', front, back, start };
};
const idsOf = (cards: readonly StoredFlashcard[], before: readonly StoredFlashcard[]) =>
  keepCardIds(cards, before).map(({ id }) => id);

test('a card of which a correction has changed one side keeps its id, one with two other sides or elsewhere has a new one', () => {
  const before = [card('a', 'The missile type was ____.', 'cast', 10), card('b', 'Books became ____.', 'cheep', 20)];
  expect(idsOf([card('x', 'The missal type was ____.', 'cast', 10.4)], before)).toEqual(['a']);
  expect(idsOf([card('x', 'Books became ____.', 'cheap', 20)], before)).toEqual(['b']);
  expect(idsOf([card('x', 'The ____ type was cast.', 'missal', 10)], before)).toEqual(['x']);
  expect(idsOf([card('x', 'The missal type was ____.', 'cast', 12)], before)).toEqual(['x']);
  expect(idsOf([{ ...card('x', 'The missal type was ____.', 'cast', 10), type: 'definition' }], before)).toEqual(['x']);
});

test('an id goes to one card alone, and first to the one that has not changed', () => {
  const before = [card('a', 'Type was ____.', 'cast', 10)];
  const changed = card('x', 'Metal type was ____.', 'cast', 10.2);
  expect(idsOf([changed, before[0] as StoredFlashcard], before)).toEqual(['x', 'a']);
  expect(idsOf([changed, { ...changed, id: 'y', start: 10.3 }], before)).toEqual(['a', 'y']);
  expect(keepCardIds([changed], [])).toEqual([changed]);
});
