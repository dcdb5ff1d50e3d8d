import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createDistractors } from '../src/distractors.ts';
import { clozeBlank } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { createNounGuess, findPhrases } from '../src/key-phrases.ts';
import { toFlashcard, toQuiz } from '../src/quiz.ts';
import { createTerms, findWords } from '../src/text-terms.ts';
import { findYears, otherYears } from '../src/years.ts';
import { embedByWords, lecture, toTimed } from './texts.ts';

const terms = createTerms({ language: 'en', texts: lecture });
const nouns = createNounGuess('en');
const phrases = findPhrases({ sentences: lecture, terms, nouns });
const deps = { blank: clozeBlank, terms, nouns };
const find = (answer: string, question: string, texts: readonly string[] = lecture) =>
  createDistractors({ ...deps, phrases: findPhrases({ sentences: texts, terms, nouns }), texts }).find({
    ...{ answer, question },
  });
const splitSample = () =>
  readFileSync(new URL('../../../samples/history-of-printing.txt', import.meta.url), 'utf8')
    .replaceAll('\n', ' ')
    .split(/(?<=\.) (?=[A-Z])/);
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

  test('a plural has plurals beside it, and "an" what is spoken with a vowel', () => {
    const texts = [
      'The springs, the levers, the wheels and the gears move.',
      'Oil keeps the springs, the levers, the wheels and the gears quiet.',
      'We saw the springs, the levers, the wheels and the gears in Paris, and in Paris alone.',
    ];
    const plurals = find('gears', `The hand turns the ${clozeBlank}.`, texts) ?? [];
    expect([...plurals].sort()).toEqual(['levers', 'springs', 'wheels']);
    const vowels = ['An heirloom', 'An apple', 'An engine', 'A unit', 'An oven', 'A university', 'A gear'];
    const all = vowels.flatMap((each) => [
      `${each} is here now.`,
      `We have ${each.toLowerCase()} there.`,
      `${each} it is.`,
    ]);
    const found = find('oven', `It is baked in an ${clozeBlank}.`, all) ?? [];
    expect([...found].sort()).toEqual(['apple', 'engine', 'heirloom']);
  });

  const places = [
    'The first Bible was printed at Mainz by Peter Schoeffer.',
    'Printers worked in Strasburg, Basle, Paris, and other cities.',
    'Gothic letter was used everywhere, and Gothic type was liked by many.',
    'All this was shown in the Exhibition.',
    'The Chinese took impressions from wood.',
  ];

  test('a place has places beside it, also those of a list; no person, no adjective, nothing with an article', () => {
    const found = find('Mainz', `The first Bible was printed at ${clozeBlank} by Peter Schoeffer.`, places) ?? [];
    expect([...found].sort()).toEqual(['Basle', 'Paris', 'Strasburg']);
  });

  test('a name that only stands where no other does has no wrong answers', () => {
    expect(find('Peter Schoeffer', `It was printed at Mainz by ${clozeBlank}.`, places)).toBeUndefined();
  });

  test('halves of names and what was said once are no wrong answers', () => {
    const texts = [
      'The Middle Ages brought calligraphy to perfection.',
      'In the Middle Ages the earliest book was made by hand.',
    ];
    expect(find('parchment', `They wrote on ${clozeBlank}.`, texts)).toBeUndefined();
  });

  test('what the lecture says is the same as the answer is no wrong answer', () => {
    const texts = [
      'Vibration, also called oscillation, has friction.',
      'Vibration and tension make friction and heat.',
    ];
    const all = [...texts, 'Oscillation needs tension, friction and heat.', 'Tension, friction, heat and oscillation.'];
    const found = find('vibration', `The string shows ${clozeBlank}.`, all) ?? [];
    expect([...found].sort()).toEqual(['friction', 'heat', 'tension']);
  });

  test('what was a wrong answer before is not taken again while there are others', () => {
    const distractors = createDistractors({ ...deps, phrases, texts: lecture });
    const first = distractors.find({ answer: 'magma', question: `The ${clozeBlank} rises.` }) ?? [];
    const second = distractors.find({ answer: 'magma', question: `The ${clozeBlank} rises.` }) ?? [];
    expect([...first, ...second]).toHaveLength(6);
    expect(second.filter((other) => first.includes(other))).toEqual([]);
  });

  test('a lecture without three of the kind gives none', () => {
    const none = createDistractors({ ...deps, phrases: [], texts: [] });
    expect(none.find({ answer: 'magma', question: '' })).toBeUndefined();
  });
});

describe('otherYears', () => {
  test.each([
    ['In 1980.', 'It slept from 1857 on, and in 1980 it woke.', 'In 1857.', /^In \d{4}\.$/],
    [
      'In fourteen sixty-five.',
      'It was dated in the year fourteen sixty-two.',
      'In fourteen sixty-two.',
      /^In fourteen [a-z-]+\.$/,
    ],
    [
      'In nineteen oh five.',
      'It began in nineteen hundred.',
      'In nineteen hundred.',
      /^In (?:nineteen|eighteen) [a-z -]+\.$/,
    ],
  ])('%s: three others, those of the lecture first, in the same form', (answer, text, first, form) => {
    const found = otherYears(answer, 'When was it?', [text]) ?? [];
    expect(found).toHaveLength(3);
    expect(found[0]).toBe(first);
    expect(new Set([...found, answer]).size).toBe(4);
    for (const other of found) expect(other).toMatch(form);
  });

  test('numbers of things are no years', () => {
    expect(findYears('In 1465 copies, of 1500 pages, 1200 people; in 1470, since May 1480')).toEqual([1470, 1480]);
  });

  test('no year is still to come, and none that the question says', () => {
    for (const year of [2015, 2021, 2024]) {
      const found = otherYears(`In ${year}.`, 'What came after 2008 and 2014?', []) ?? [];
      expect(found).toHaveLength(3);
      for (const other of found) {
        expect(Number(/\d+/.exec(other)?.[0])).toBeLessThanOrEqual(Math.max(2020, year));
        expect(other).not.toMatch(/2008|2014/);
      }
    }
  });

  test('the right year is not always at the same place among the four', () => {
    const ranks = [1465, 1466, 1467, 1468].map(
      (year) => otherYears(`In ${year}.`, '', [])?.filter((other) => other < `In ${year}.`).length,
    );
    expect(new Set(ranks).size).toBe(4);
  });

  test('what is no year has no other years', () => {
    expect(otherYears('In ten oh hundred.', '', [])).toBeUndefined();
    expect(otherYears('A press.', '', [])).toBeUndefined();
  });
});

describe('toQuiz', () => {
  const cards = makeFlashcards({ sentences: toTimed(lecture), embeddings: embedByWords(lecture), language: 'en' });
  const quiz = toQuiz(cards);

  test('questions have four different choices, one of them right, and do not say it', () => {
    expect(quiz.length).toBeGreaterThanOrEqual(2);
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

  test('the sample lecture: the year has years beside it, the place has places', () => {
    const heard = toTimed(splitSample());
    const asked = toQuiz(makeFlashcards({ sentences: heard, language: 'en' }));
    const year = asked.find(({ type }) => type === 'question');
    expect(year?.choices).toHaveLength(4);
    for (const choice of year?.choices ?? []) expect(choice).toMatch(/^In fourteen [a-z]+-[a-z]+\.$/);
    for (const { choices } of asked) {
      for (const choice of choices) expect(choice).not.toMatch(/^(?:Middle|Ages|Earliest book|Exhibition|Chinese)/i);
    }
  });

  test('a definition that says a word of its term is no question; a lecture in another language has none of terms', () => {
    const texts = ['A black letter is a letter with a Gothic form that is drawn by hand.', ...lecture];
    const made = makeFlashcards({ sentences: toTimed(texts), language: 'en' });
    const told = made.find(({ front }) => front === 'Black letter');
    expect(told).toBeDefined();
    expect(told?.distractors).toBeUndefined();
    const german = makeFlashcards({ sentences: toTimed(lecture), language: 'de' });
    expect(toQuiz(german)).toEqual([]);
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
