import type { Transcript } from '@studymate/contracts/transcript';
import { describe, expect, test } from 'vitest';
import { titleChapters } from '../src/chapter-titles.ts';
import { findDefinitions } from '../src/definitions.ts';
import { clozeBlank } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { createNounGuess, findPhrases } from '../src/key-phrases.ts';
import { toTimedSentences } from '../src/sentences.ts';
import { createTerms } from '../src/text-terms.ts';
import { lecture, toTimed } from './texts.ts';

/** A segment a text; the words in `unsure` are said with a probability of 0.3. */
function hear(texts: string[], unsure: string[] = []): Transcript {
  let at = 0;
  const segments = texts.map((text, id) => {
    const words = text.split(' ').map((word) => {
      const start = at;
      at += 0.4;
      return { word, start, end: start + 0.3, probability: unsure.includes(word) ? 0.3 : 0.95 };
    });
    return { id, start: words[0]?.start ?? at, end: at, text, confidence: 0.9, flags: [], words };
  });
  return { language: 'en', text: texts.join(' '), segments };
}

const terms = createTerms({ language: 'en' });
const nouns = createNounGuess('en');

function phrasesOf(transcript: Transcript): string[] {
  const sentences = toTimedSentences(transcript);
  const barriers = sentences.map((sentence) => sentence.barriers);
  const texts = sentences.map(({ text }) => text);
  return findPhrases({ sentences: texts, barriers, terms, nouns }).map(({ text }) => text);
}

function definitionsOf(sentence: string): [string, string][] {
  return findDefinitions({ sentences: [sentence], terms, nouns }).map(({ term, definition }) => [term, definition]);
}

describe('phrases', () => {
  test('a segment that begins with a capital in mid sentence: no phrase runs into it, and it names nothing', () => {
    const phrases = phrasesOf(hear(['We study the magma', 'Chamber walls of a volcano.']));
    expect(phrases).toContain('chamber walls');
    expect(phrases.filter((phrase) => /magma chamber|Chamber/.test(phrase))).toEqual([]);
  });

  test('a name that runs over two segments stays whole', () => {
    expect(phrasesOf(hear(['This was printed by Johann', 'Gutenberg in Mainz.']))).toContain('Johann Gutenberg');
  });

  test('a word that may be misheard is in no phrase', () => {
    const phrases = phrasesOf(hear(['This missile type was cut by hand.'], ['missile']));
    expect(phrases.some((phrase) => phrase.includes('missile'))).toBe(false);
    expect(phrasesOf(hear(['This missile type was cut by hand.']))).toContain('missile type');
  });

  test('titles outside English prefer what is said twice', () => {
    const sentences = ['Nous voyons maintenant le magma.', 'Souvent le magma monte.', 'Il refroidit lentement.'];
    const [chapter] = titleChapters({ sentences, boundaries: [0], language: 'fr' });
    expect(chapter?.title).toBe('Magma');
  });
});

describe('definitions', () => {
  test.each([
    ['Printing then for our purpose may be considered as the art of making books.', 'Printing', /^The art of making/],
    ['Printing, then, for our purpose, may be considered as the art of making books.', 'Printing', /^The art of/],
    ['A prime number is defined as an integer with exactly two divisors.', 'prime number', /^An integer with/],
    [
      'The first books were printed in black letter, i.e. the letter of monks in Germany.',
      'black letter',
      /^The letter/,
    ],
    ['A bow is made of horsehair, that is to say, the hair of a tail of a horse.', 'horsehair', /^The hair of a tail/],
  ])('%s', (sentence, term, definition) => {
    expect(definitionsOf(sentence)).toEqual([[term, expect.stringMatching(definition)]]);
  });

  test('what is before a relative clause that gives a name does not say what the name means', () => {
    expect(definitionsOf("Today we will express this in three laws which are called Newton's laws.")).toEqual([]);
  });
});

describe('makeFlashcards', () => {
  const cardsOf = (texts: string[]) => makeFlashcards({ sentences: toTimed([...lecture, ...texts]), language: 'en' });
  const frontsWith = (texts: string[], words: string) =>
    cardsOf(texts).filter(({ front, back }) => front.replace(clozeBlank, back).includes(words));

  test('half of a name, a possessive and half of a pair are not asked for', () => {
    const texts = [
      'The printers of the town bought the Gutenberg Bible with magma, lava, violin strings and bread dough.',
      "The pitch of the strings and Stradivari's violin brought the players of the orchestra much joy in Cremona.",
    ];
    const cards = [...frontsWith(texts, 'Gutenberg'), ...frontsWith(texts, "Stradivari's")];
    expect(cards.length).toBeGreaterThan(0);
    for (const { front } of cards) expect(front).not.toMatch(/Gutenberg _____|_____ Bible|_____['’]s|_____ and \w/);
  });

  test('a question about a year ends before the second verb', () => {
    const [card] = cardsOf([
      'In 1465 Sweynheim began printing books near Rome and used a beautiful type of letter.',
    ]).filter(({ type, back }) => type === 'question' && back === 'In 1465.');
    expect(card?.front).toBe('When did Sweynheim begin printing books near Rome?');
  });

  test('a sentence with several words that may be misheard makes no cloze card', () => {
    const text = 'The volcano is the Neplu Ultra of magma, lava, gas and ash in every violent eruption.';
    const cardsFor = (unsure: string[]) =>
      makeFlashcards({ sentences: toTimedSentences(hear([...lecture, text], unsure)), language: 'en' });
    expect(cardsFor([]).some(({ front }) => front.includes('lava, gas') || front.includes('Neplu'))).toBe(true);
    expect(cardsFor(['Neplu', 'Ultra']).some(({ front }) => front.includes('Neplu'))).toBe(false);
  });
});
