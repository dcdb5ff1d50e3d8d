import type { Flashcard } from '@studymate/contracts/study';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toAnkiTsv } from '../src/flashcard-formats.ts';
import { makeFlashcards } from '../src/flashcards.ts';
import { embedByWords, lecture, toTimed } from './texts.ts';

/**
 * Reads a text file as Anki does (its manual, "Text files"): lines with "#" and a key at the beginning are headers, other
 * lines with "#" are comments; fields are parted by the separator, may be quoted, with quotes doubled inside, and hold line
 * ends then; one column is that of the tags.
 */
function importIntoAnki(text: string): {
  headers: Record<string, string>;
  notes: { fields: string[]; tags: string[] }[];
} {
  const headers: Record<string, string> = {};
  let rest = text;
  for (let match = /^#([a-z ]+):(.*)\n/.exec(rest); match !== null; match = /^#([a-z ]+):(.*)\n/.exec(rest)) {
    headers[match[1] as string] = match[2] as string;
    rest = rest.slice(match[0].length);
  }
  const separator = headers.separator === 'tab' ? '\t' : ',';
  const tagsColumn = Number(headers['tags column']) - 1;
  const notes: { fields: string[]; tags: string[] }[] = [];
  while (rest !== '') {
    if (rest.startsWith('#')) {
      rest = rest.slice(rest.indexOf('\n') + 1);
      continue;
    }
    const fields: string[] = [];
    for (;;) {
      const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
      const plain = quoted ?? /^[^\t\n]*/.exec(rest);
      const raw = plain?.[0] ?? '';
      fields.push(quoted ? (quoted[1] as string).replaceAll('""', '"') : raw);
      rest = rest.slice(raw.length);
      const end = rest[0];
      rest = rest.slice(1);
      if (end !== separator) break;
    }
    const [tags = ''] = fields.splice(tagsColumn, 1);
    notes.push({ fields, tags: tags.split(' ') });
  }
  return { headers, notes };
}

test('cards of a lecture: each is a note with front, back and tags, none like another', () => {
  const cards = makeFlashcards({ sentences: toTimed(lecture), embeddings: embedByWords(lecture), language: 'en' });
  const { headers, notes } = importIntoAnki(toAnkiTsv(cards));
  expect(headers).toMatchObject({ separator: 'tab', html: 'false', columns: 'Front\tBack\tTags' });
  expect(notes).toEqual(cards.map(({ front, back, type }) => ({ fields: [front, back], tags: ['studymate', type] })));
  // Anki takes a second note with the same first field for a new version of the first.
  expect(new Set(notes.map(({ fields }) => fields[0])).size).toBe(notes.length);
});

test('any text of a card comes through as it is, with line ends made plain', () => {
  const text = fc
    .array(fc.oneof(fc.constantFrom('"', '\t', '\n', '\r\n', '#', ',', '""', 'a b'), fc.string({ maxLength: 4 })), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => `x${parts.join('')}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), (pairs) => {
      const cards = pairs.map(([front, back], i): Flashcard => ({ id: `${i}`, type: 'cloze', front, back, start: i }));
      const { notes } = importIntoAnki(toAnkiTsv(cards));
      const plain = (value: string) => value.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
      expect(notes.map(({ fields }) => fields)).toEqual(pairs.map((pair) => pair.map(plain)));
    }),
    { numRuns: 200 },
  );
});

test('a front that begins with "#" is no comment', () => {
  const card: Flashcard = { id: 'a', type: 'cloze', front: '#1 in the list', back: '"first"', start: 0 };
  expect(importIntoAnki(toAnkiTsv([card])).notes).toEqual([
    { fields: ['#1 in the list', '"first"'], tags: ['studymate', 'cloze'] },
  ]);
});
