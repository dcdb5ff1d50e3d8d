import { expect, test } from 'vitest';
import { scoreCues } from '../src/chapter-cues.ts';
import { findBoundaries } from '../src/chapters.ts';

const score = (sentence: string, before = 'The rope carries the weight of the mass.', language = 'en'): number =>
  scoreCues([before, sentence], language)[1] as number;

test('what opens a new matter scores above what goes on with the old one', () => {
  const plain = score('The spring is twice as long as the rope that we had before.');
  for (const opening of [
    "Now let's talk about the pendulum and its period.",
    "OK, so now I'd like to introduce the notion of torque.",
    'All right, the next idea is called momentum.',
  ]) {
    expect(score(opening)).toBeGreaterThan(plain + 1);
  }
  for (const going of ['And it is longer.', 'But then the rope is twice as long as before.', "That's the same."]) {
    expect(score(going)).toBeLessThan(plain);
  }
});

test('a sentence after "Any questions?" scores above the same after a question to think about', () => {
  const sentence = 'A pendulum swings with a period that depends on its length.';
  expect(score(sentence, 'OK, all right so far.')).toBeGreaterThan(score(sentence));
  expect(score(sentence, 'What is its period?')).toBeLessThan(score(sentence));
});

test('other languages know their own first words, a typographic apostrophe counts as a plain one', () => {
  expect(score('Alors le pendule oscille.', 'La corde porte le poids.', 'fr')).toBeGreaterThan(0);
  expect(score('Le pendule oscille.', 'La corde porte le poids.', 'fr')).toBe(0);
  expect(score('Let’s look at the pendulum now.')).toBe(score("Let's look at the pendulum now."));
});

test('where words and meaning say nothing, a long talk is parted at its cues', () => {
  const sentences = Array.from({ length: 400 }, (_, i) => {
    if (i > 0 && i % 100 === 0) return 'OK so now let us talk about another idea that I want to introduce.';
    const word = [...String(i)].map((digit) => 'bcdfghjklm'[Number(digit)]).join('o');
    return `The ${word}a of a ${word}e has its own ${word}i.`;
  });
  expect(findBoundaries({ sentences, chapterCount: 4 })).toEqual([0, 100, 200, 300]);
});
