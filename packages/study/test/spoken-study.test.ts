import { describe, expect, test } from 'vitest';
import { clozeBlank } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { createNounGuess, findPhrases } from '../src/key-phrases.ts';
import { createNounUse } from '../src/noun-use.ts';
import { isOfTheMoment } from '../src/statement-text.ts';
import { createTerms } from '../src/text-terms.ts';
import { lectureTopics } from '../src/topics.ts';
import { embedByTheme, lecture, toTimed } from './texts.ts';

const terms = createTerms({ language: 'en' });
const nouns = createNounGuess('en');
const phrasesOf = (sentences: readonly string[]) => findPhrases({ sentences, terms, nouns }).map(({ text }) => text);

describe('what a word is used as', () => {
  test('"the search" is a noun, "they get stuck" and "an object moving" are none', () => {
    const isUsed = createNounUse({
      sentences: ['They get stuck.', 'You will be stuck.', 'The search ends with an object moving away.'],
      ...{ terms, nouns },
    });
    expect(['search', 'object', 'stuck', 'moving'].map(isUsed)).toEqual([true, true, false, false]);
  });

  test('a word that is always a verb in the text names nothing, in the same text as a noun it does', () => {
    expect(phrasesOf(['We plow on.', 'They plow the field.'])).not.toContain('plow');
    expect(phrasesOf(['The plow broke.', 'They saw the plow.'])).toContain('plow');
  });
});

describe('names of several words', () => {
  const said = [
    'The center of mass stands still.',
    'We follow the center of mass.',
    'Friction does not move the center of mass.',
  ];

  test('"center of mass", said again, is one name, and its halves are none', () => {
    const found = phrasesOf(said);
    expect(found).toContain('center of mass');
    expect(found).not.toContain('center');
    expect(found).not.toContain('mass');
  });

  test('two nouns beside an "of" that are said together once are no name', () => {
    expect(phrasesOf(said.slice(0, 1))).not.toContain('center of mass');
  });

  test('signs of formulas name nothing; what is written with a capital in the midst of a sentence may', () => {
    const found = phrasesOf(['V1 is the velocity of m1.', 'We substitute v1 and phi.', 'It met in the G7 in June.']);
    expect(found.filter((text) => /^(?:v1|m1|phi)$/i.test(text))).toEqual([]);
    expect(found).toContain('G7');
  });
});

describe('sentences of the moment', () => {
  test.each([
    'We are going to talk about momentum.',
    'Now I will write the velocity on the blackboard.',
    'The force -- the net force acts on the whole system.',
    'The velocity of the the ball does not change.',
    'The force acts on the ball over there.',
    'V1 prime equals m1 minus m2 divided by the sum.',
  ])('%s', (text) => {
    expect(isOfTheMoment(text)).toBe(true);
  });

  test.each([
    'Momentum is conserved when no external force acts on the system.',
    'The well-known law says that a wall of ice at 0 degrees melts.',
    'We know that the energy of the ball does not change.',
  ])('%s: states something', (text) => {
    expect(isOfTheMoment(text)).toBe(false);
  });
});

describe('cards of speech', () => {
  const cloze = (texts: readonly string[]) =>
    makeFlashcards({ sentences: toTimed([...texts, ...lecture]), language: 'en' }).filter(
      ({ type }) => type === 'cloze',
    );

  test('no blank beside a noun that makes one name with it, after a number, or in half of "center of mass"', () => {
    const cards = cloze([
      'The heavy wall gives twice its momentum to the tennis ball in a collision.',
      'The heavy ball gives its momentum to the wall of ice in every collision.',
      'In a collision of two balls the momentum of the system is not changed.',
      'The center of mass of two balls keeps its velocity in every collision.',
      'An observer in the center of mass sees the momentum of all balls vanish.',
      'The velocity of the center of mass is momentum divided among the balls.',
    ]);
    expect(cards.length).toBeGreaterThan(0);
    for (const { front } of cards) {
      expect(front).not.toMatch(
        new RegExp(`tennis ${clozeBlank}|two ${clozeBlank}|${clozeBlank} of mass|of ${clozeBlank} of two`),
      );
      expect(front).not.toMatch(new RegExp(`center of ${clozeBlank}`));
    }
  });

  test('an hour has no more than 32 cards, and no answer comes twice', () => {
    const hour = Array.from({ length: 16 }, () => lecture)
      .flat()
      .map((text, index) => text.replace(/\.$/, ` in case ${index}.`));
    const slow = toTimed(hour).map((sentence, index) => ({ ...sentence, start: index * 9.4, end: index * 9.4 + 9 }));
    const cards = makeFlashcards({ sentences: slow, language: 'en' });
    expect(cards.length).toBeGreaterThan(5);
    expect(cards.length).toBeLessThanOrEqual(32);
    const answers = cards.filter(({ type }) => type === 'cloze').map(({ back }) => terms.stem(back.toLowerCase()));
    expect(new Set(answers).size).toBe(answers.length);
  });
});

test('a topic of a long lecture is not named by what is said in it once', () => {
  const themes = [lecture.slice(0, 8), lecture.slice(8, 16)];
  const texts = themes.flatMap((theme) => Array.from({ length: 10 }, () => theme).flat());
  texts[3] = 'The magnificent cathedral of Rheims stood behind the volcano.';
  const labels = texts.map((_, index) => (index < 80 ? 0 : 1));
  const topics = lectureTopics({ sentences: toTimed(texts), embeddings: embedByTheme(labels), language: 'en' });
  expect(topics.length).toBeGreaterThanOrEqual(2);
  for (const { label } of topics) expect(label).not.toMatch(/cathedral|Rheims/);
});
