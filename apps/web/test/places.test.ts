import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPlaces, followPlace } from '../src/state/places.ts';

let kept: Map<string, string>;
beforeEach(() => {
  kept = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => kept.set(key, text),
    removeItem: (key: string) => kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

test('a lecture goes on where it was left, but not from its beginning or its end', () => {
  const places = createPlaces();
  places.note('a', 100.04, 600);
  places.note('b', 7, 600);
  places.note('c', 595, 600);
  places.note('d', 300, null);
  expect(['a', 'b', 'c', 'd'].map(places.find)).toEqual([100, null, null, 300]);
  places.note('a', 598, 600);
  places.forget('d');
  expect(['a', 'd'].map(places.find)).toEqual([null, null]);
});

test('places are those of the lectures that were listened to last, and what is damaged is none', () => {
  const places = createPlaces();
  for (let i = 0; i < 205; i++) places.note(`l${i}`, 20 + i, null);
  expect([places.find('l4'), places.find('l5'), places.find('l204')]).toEqual([null, 25, 224]);
  places.forgetAll();
  expect([places.find('l204'), kept.size]).toEqual([null, 0]);
  for (const text of ['{', '{}', '[1,["a"],["b",null]]']) {
    kept.set('studymate.places', text);
    expect(places.find('b')).toBeNull();
  }
});

test('a place is noted every few seconds while it plays, and after a jump', () => {
  const now = signal({ seconds: 0, isMoving: false });
  const noted: number[] = [];
  const stop = followPlace({ playback: { now }, note: (seconds) => noted.push(seconds) });
  for (const seconds of [1, 3, 5.5, 8, 11]) now.value = { seconds, isMoving: true };
  now.value = { seconds: 12.5, isMoving: false };
  now.value = { seconds: 40, isMoving: false };
  stop();
  now.value = { seconds: 90, isMoving: false };
  expect(noted).toEqual([5.5, 11, 12.5, 40]);
});
