import type { Segment, Transcript } from '@studymate/contracts/transcript';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges, countChanged, withEdits } from '../src/edited-transcript.ts';
import { toPlainText, toSrt } from '../src/subtitles.ts';

/** Each word lasts .4 s, and the next one begins half a second after it did. */
function toSegment(id: number, text: string, start = id * 10, words = text.split(' ')): Segment {
  const timed = words.map((word, i) => ({ word, start: start + i / 2, end: start + i / 2 + 0.4, probability: 0.5 }));
  return { id, start, end: start + 9, text, confidence: 0.5, flags: ['low_confidence'], words: timed };
}
const toTranscript = (segments: Segment[], language = 'en'): Transcript => ({
  language,
  text: segments.map(({ text }) => text).join(' '),
  segments,
});
const machine = toTranscript([
  toSegment(0, 'The missile type was cast of metal.'),
  toSegment(1, 'Thank you for watching.'),
  toSegment(2, 'A press gave copies.'),
]);
const edit = (of: Transcript, id: number, text: string | null) => applyChanges(of, withEdits(of, [], [{ id, text }]));
const timesOf = ({ segments }: Transcript, id: number) =>
  segments[id]?.words.map(({ word, start, end, probability }) => [word, start, end, probability]);

describe('a corrected segment', () => {
  test('keeps the times of the words that stayed, and a word in the place of another takes its time', () => {
    const edited = edit(machine, 0, 'The  missal type, was cast\nof metal.');
    expect(edited.segments[0]).toMatchObject({ id: 0, start: 0, end: 9, flags: ['edited'], confidence: 0.571 });
    expect(edited.segments[0]?.text).toBe('The missal type, was cast of metal.');
    expect(timesOf(edited, 0)).toEqual([
      ['The', 0, 0.4, 0.5],
      ['missal', 0.5, 0.9, 1],
      ['type,', 1, 1.4, 0.5],
      ['was', 1.5, 1.9, 0.5],
      ['cast', 2, 2.4, 0.5],
      ['of', 2.5, 2.9, 0.5],
      ['metal.', 3, 3.4, 0.5],
    ]);
    expect(edited.text).toBe('The missal type, was cast of metal. Thank you for watching. A press gave copies.');
    expect(machine.segments[0]?.text).toBe('The missile type was cast of metal.');
  });

  test('with more or fewer words than before: new ones share the time of those they replace, or of the pause', () => {
    expect(timesOf(edit(machine, 2, 'A printing press gave many more copies.'), 2)).toEqual([
      ['A', 20, 20.4, 0.5],
      ['printing', 20.4, 20.5, 1],
      ['press', 20.5, 20.9, 0.5],
      ['gave', 21, 21.4, 0.5],
      ['many', 21.4, 21.45, 1],
      ['more', 21.45, 21.5, 1],
      ['copies.', 21.5, 21.9, 0.5],
    ]);
    expect(timesOf(edit(machine, 2, 'A machine copies.'), 2)).toEqual([
      ['A', 20, 20.4, 0.5],
      ['machine', 20.5, 21.4, 1],
      ['copies.', 21.5, 21.9, 0.5],
    ]);
  });

  test('without text is removed: it keeps its id, and is in no export', () => {
    const edited = edit(machine, 1, '');
    expect(edited.segments[1]).toMatchObject({ id: 1, start: 10, end: 19, text: '', flags: ['edited'], words: [] });
    expect(toPlainText(edited)).toBe('The missile type was cast of metal.\nA press gave copies.\n');
    expect(toSrt(edited.segments)).not.toMatch(/watching|\n3\r/);
    expect(edited.text).toBe('The missile type was cast of metal. A press gave copies.');
  });

  test('in writing without spaces: pieces that still stand there keep their times', () => {
    const piecewise = toTranscript(
      [toSegment(0, '活字は鉛で作られた。', 0, ['活字', 'は', '鉛', 'で', '作られた。'])],
      'ja',
    );
    const edited = edit(piecewise, 0, '活字は錫で作られた。');
    expect(timesOf(edited, 0)).toEqual([
      ['活字', 0, 0.4, 0.5],
      ['は', 0.5, 0.9, 0.5],
      ['錫', 1, 1.4, 1],
      ['で', 1.5, 1.9, 0.5],
      ['作られた。', 2, 2.4, 0.5],
    ]);
    expect(edited.text).toBe('活字は錫で作られた。');
  });

  test('whose words came in pieces: what the text writes as one word is one', () => {
    const pieces = toTranscript([toSegment(0, 'A well-known book.', 0, ['A', 'well', '-known', 'book.'])]);
    expect(timesOf(edit(pieces, 0, 'A well-known look.'), 0)).toEqual([
      ['A', 0, 0.4, 0.5],
      ['well-known', 0.5, 1.4, 0.5],
      ['look.', 1.5, 1.9, 1],
    ]);
  });

  test('that had no word times has none', () => {
    const plain = toTranscript([{ ...toSegment(0, 'Some words.'), words: [] }]);
    expect(edit(plain, 0, 'Other words.').segments[0]).toMatchObject({
      text: 'Other words.',
      words: [],
      confidence: 1,
    });
  });

  test('of any words: they follow each other within the segment, and those of the text are there in order', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', 'Type', 'type.', '–', 'printing'), { maxLength: 12 });
    fc.assert(
      fc.property(words, words, fc.boolean(), (before, after, isUnspaced) => {
        const spoken = before.length > 0 ? before : ['x'];
        const language = isUnspaced ? 'ja' : 'en';
        const of = toTranscript([toSegment(0, spoken.join(isUnspaced ? '' : ' '), 0, spoken)], language);
        const text = after.join(' ');
        const [segment] = edit(of, 0, text).segments;
        let last = 0;
        for (const { start, end } of segment?.words ?? []) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          last = start;
        }
        expect(last).toBeLessThanOrEqual(9);
        const written = segment?.words.map(({ word }) => word).join('');
        if (segment?.flags.includes('edited')) expect(written).toBe(text.replaceAll(' ', ''));
      }),
    );
  });

  test('of hostile length: is there soon, with all of its words', () => {
    const long = toTranscript(Array.from({ length: 400 }, (_, id) => toSegment(id, 'a b '.repeat(110).trim())));
    const edits = long.segments.map(({ id }) => ({ id, text: 'b c '.repeat(1_200).trim() }));
    const edited = applyChanges(long, withEdits(long, [], edits));
    expect(edited.segments.at(-1)?.words).toHaveLength(2_400);
  });
});

describe('changes', () => {
  test('that say what is there already, or what the machine said, are none', () => {
    const changes = withEdits(machine, [], [{ id: 0, text: 'The missal type.' }]);
    expect(changes).toEqual([
      { id: 0, start: 0, from: 'The missile type was cast of metal.', text: 'The missal type.' },
    ]);
    expect(withEdits(machine, changes, [{ id: 0, text: ' The missal  type. ' }])).toEqual(changes);
    expect(withEdits(machine, changes, [{ id: 0, text: null }])).toEqual([]);
    expect(withEdits(machine, changes, [{ id: 0, text: 'The missile type was cast of metal.' }])).toEqual([]);
    expect(withEdits(machine, [], [{ id: 1, text: null }])).toEqual([]);
  });

  test('of several edits add up, the last one of a segment counts', () => {
    let changes = withEdits(machine, [], [{ id: 2, text: 'A press gave many copies.' }]);
    changes = withEdits(machine, changes, [
      { id: 0, text: '' },
      { id: 2, text: 'A press.' },
    ]);
    expect(changes.map(({ id, text }) => [id, text])).toEqual([
      [0, ''],
      [2, 'A press.'],
    ]);
    expect(countChanged(machine, changes)).toBe(2);
  });

  test('hold on to what the machine heard: where it hears something else they have no effect, and none is lost', () => {
    const changes = withEdits(
      machine,
      [],
      [
        { id: 1, text: '' },
        { id: 2, text: 'A press gave many copies.' },
      ],
    );
    // Heard anew: the first segment is two by now, and the one that was removed is another text.
    const anew = toTranscript([
      toSegment(0, 'The missal type', 0),
      toSegment(1, 'was cast of metal.', 4),
      toSegment(2, 'Thanks for listening.', 10),
      toSegment(3, 'A press gave copies.', 20.2),
    ]);
    const edited = applyChanges(anew, changes);
    expect(edited.segments.map(({ text }) => text)).toEqual([
      'The missal type',
      'was cast of metal.',
      'Thanks for listening.',
      'A press gave many copies.',
    ]);
    expect(countChanged(anew, changes)).toBe(1);
    const more = withEdits(anew, changes, [{ id: 2, text: 'Thank you for listening.' }]);
    expect(applyChanges(anew, more).segments[2]?.text).toBe('Thank you for listening.');
    expect(applyChanges(machine, more).segments.map(({ text }) => text)).toEqual([
      'The missile type was cast of metal.',
      '',
      'A press gave many copies.',
    ]);
  });

  test('of words that are said again and again stay where they were made', () => {
    const same = toTranscript([toSegment(0, 'Yes.'), toSegment(1, 'Yes.'), toSegment(2, 'Yes.')]);
    const changes = withEdits(same, [], [{ id: 1, text: 'Yes, sir.' }]);
    const shifted = toTranscript(
      [toSegment(0, 'Well.', 0), toSegment(1, 'Yes.', 1), ...same.segments.slice(1)].map((segment, id) => ({
        ...segment,
        id,
      })),
    );
    expect(applyChanges(shifted, changes).segments.map(({ text }) => text)).toEqual([
      'Well.',
      'Yes.',
      'Yes, sir.',
      'Yes.',
    ]);
  });
});
