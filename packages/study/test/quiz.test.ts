import { describe, expect, test } from 'vitest';
import { createDistractors } from '../src/distractors.ts';
import { clozeBlank } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { createNounGuess, findPhrases } from '../src/key-phrases.ts';
import { toFlashcard, toQuiz } from '../src/quiz.ts';
import { createTerms, findWords } from '../src/text-terms.ts';
import { embedByWords, lecture, toTimed } from './texts.ts';

const terms = createTerms({ language: 'en', texts: lecture });
const phrases = findPhrases({ sentences: lecture, terms, nouns: createNounGuess('en') });
const find = (answer: string, question: string, texts: readonly string[] = lecture) =>
  createDistractors({ phrases, texts, blank: clozeBlank, terms }).find({ answer, question });
const stemsOf = (text: string) => findWords(text).map(({ lower }) => terms.stem(lower));

describe('findDistractors', () => {
  test('a term: three others of the lecture, none of which the question says or shares a word with the answer', () => {
    const question = `The pressure of gas in the ${clozeBlank} drives the eruption upwards.`;
    const found = find('magma', question) ?? [];
    expect(found).toHaveLength(3);
    const said = new Set([...stemsOf(question), ...stemsOf('magma')]);
    for (const other of found) {
      expect(lecture.join(' ').toLowerCase()).toContain(other.toLowerCase());
      for (const stem of stemsOf(other)) expect(said).not.toContain(stem);
    }
  });

  test('a plural has plurals beside it, and "an" only what begins with a vowel', () => {
    for (const other of find('strings', `The bow is drawn across the ${clozeBlank}.`) ?? []) {
      expect(other).toMatch(/s$/);
    }
    for (const other of find('oven', `It is baked in an ${clozeBlank}.`) ?? []) expect(other).toMatch(/^[aeiou]/);
  });

  test('a year: other years, those of the lecture first, none twice', () => {
    const found = find('In 1980.', 'When did Mount Helens open a new crater?', [
      'It slept from 1857 on, and in 1980 …',
    ]);
    expect(found?.[0]).toBe('In 1857.');
    expect(new Set([...(found ?? []), 'In 1980.']).size).toBe(4);
    for (const other of found ?? []) expect(other).toMatch(/^In \d{4}\.$/);
  });

  test('a year that the question says is no wrong answer, and three are left all the same', () => {
    const found = find('In 1980.', 'What came 17 years after 1963 and 12 before 1992?', []) ?? [];
    expect(found).toHaveLength(3);
    for (const other of found) expect(other).not.toMatch(/1963|1992|1980/);
  });

  test('what was a wrong answer before is not taken again while there are others', () => {
    const distractors = createDistractors({ phrases, texts: lecture, blank: clozeBlank, terms });
    const first = distractors.find({ answer: 'magma', question: `The ${clozeBlank} rises.` }) ?? [];
    const second = distractors.find({ answer: 'magma', question: `The ${clozeBlank} rises.` }) ?? [];
    expect([...first, ...second]).toHaveLength(6);
    expect(second.filter((other) => first.includes(other))).toEqual([]);
  });

  test('a lecture without three of the kind gives none', () => {
    const none = createDistractors({ phrases: [], texts: [], blank: clozeBlank, terms });
    expect(none.find({ answer: 'magma', question: '' })).toBeUndefined();
  });
});

describe('toQuiz', () => {
  const cards = makeFlashcards({ sentences: toTimed(lecture), embeddings: embedByWords(lecture), language: 'en' });
  const quiz = toQuiz(cards);

  test('questions have four different choices, one of them right, and do not say it', () => {
    expect(quiz.length).toBeGreaterThanOrEqual(3);
    for (const { id, choices, answer, question, type } of quiz) {
      expect(new Set(choices.map((choice) => choice.toLowerCase())).size).toBe(4);
      const card = cards.find((each) => each.id === id);
      expect(choices[answer]).toBe(type === 'definition' ? card?.front : card?.back);
      const said = new Set(stemsOf(question));
      const right = stemsOf(choices[answer] as string).filter((stem) => !terms.isStopWord(stem));
      expect(right.every((stem) => said.has(stem))).toBe(false);
    }
  });

  test('the right answer is not always at the same place, and the same lecture gives the same quiz', () => {
    expect(new Set(quiz.map(({ answer }) => answer)).size).toBeGreaterThan(1);
    expect(toQuiz(cards)).toEqual(quiz);
  });

  test('a card of before there was a quiz is no question; cards are shown without wrong answers', () => {
    const [card] = cards;
    if (!card) throw new Error('no card');
    expect(toQuiz([toFlashcard(card)])).toEqual([]);
    expect(Object.keys(toFlashcard({ ...card, distractors: ['a', 'b', 'c'] })).sort()).toEqual([
      'back',
      'front',
      'id',
      'start',
      'type',
    ]);
  });
});
