import { expect, test } from 'vitest';
import { createTurns } from '../src/turns.ts';

test('turns of one name: one after the other, also after one that failed; those of another name wait for none', async () => {
  const turns = createTurns();
  const done: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const failing = turns.take('a', async () => {
    await gate;
    done.push('first');
    throw new Error('no');
  });
  const second = turns.take('a', async () => done.push('second'));
  await turns.take('b', async () => done.push('other'));
  open();
  await expect(failing).rejects.toThrow('no');
  await second;
  expect(done).toEqual(['other', 'first', 'second']);
});

test('turns with a bound: what is too much under one name is refused, and has room when those before have ended', async () => {
  const turns = createTurns({ most: 2 });
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const both = [turns.take('a', () => gate), turns.take('a', () => gate)];
  await expect(turns.take('a', () => gate)).rejects.toMatchObject({ code: 'too_many_requests' });
  const other = turns.take('b', () => gate);
  open();
  await Promise.all([...both, other]);
  expect(await turns.take('a', async () => 'again')).toBe('again');
});
