import type { Segment, Transcript } from '@studymate/contracts/transcript';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges, countChanged, findUnplaced, withEdits } from '../src/edited-transcript.ts';
import { toPlainText, toSrt } from '../src/subtitles.ts';

/** Each word lasts .4 s, and the next one begins half a second after it did. */
function toSegment(id: number, text: string, start = id * 10, words = text.split(' ')): Segment {
  const timed = words.map((word, i) => ({ word, start: start + i / 2, end: start + i / 2 + 0.4, probability: 0.5 }));
  return { id, start, end: start + 9, text, confidence: 0.5, flags: ['low_confidence'], words: timed };
}
/** As the machine hears them: no time between the words unless `gaps` say so, and none behind the last. */
function toAbutting(id: number, words: string[], start: number, seconds: number[], gaps: number[] = []): Segment {
  const round = (time: number) => Math.round(time * 1000) / 1000;
  let [from, at] = [start, start];
  const timed = words.map((word, i) => {
    // One can begin before the one in front of it has ended, but not before that has begun.
    from = round(i === 0 ? start : Math.max(from, at + (gaps[i] ?? 0)));
    at = round(from + (seconds[i] ?? 0.1));
    return { word, start: from, end: at, probability: 0.5 };
  });
  return { ...toSegment(id, words.join(' '), start), end: at, words: timed };
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
    expect(timesOf(edit(machine, 2, 'A printing press gave us 2 copies.'), 2)).toEqual([
      ['A', 20, 20.064, 0.5],
      ['printing', 20.064, 20.579, 1],
      ['press', 20.579, 20.9, 0.5],
      ['gave', 21, 21.4, 0.5],
      ['us', 21.4, 21.467, 1],
      ['2', 21.467, 21.5, 1],
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
    const removed = { id: 1, start: 10, end: 19, text: '', confidence: 0.5, flags: ['edited'], words: [] };
    expect(edited.segments[1]).toEqual(removed);
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

  test('in writing without spaces: a sign more or less costs no piece its time, whatever the language of the lecture', () => {
    const pieces = ['活字', 'は', '「鉛', 'で」', '作られた。'];
    const piecewise = toTranscript([toSegment(0, pieces.join(''), 0, pieces)], 'en');
    expect(timesOf(edit(piecewise, 0, '活字は、「錫で」作られた'), 0)).toEqual([
      ['活字', 0, 0.4, 0.5],
      ['は、', 0.5, 0.9, 0.5],
      ['「錫', 1, 1.4, 1],
      ['で」', 1.5, 1.9, 0.5],
      ['作られた', 2, 2.4, 0.5],
    ]);
    const khmer = toTranscript([toSegment(0, 'ភាសាខ្មែរល្អ', 0, ['ភាសា', 'ខ្មែរ', 'ល្អ'])], 'km');
    expect(timesOf(edit(khmer, 0, 'ភាសាខ្មែរធំ'), 0)).toEqual([
      ['ភាសា', 0, 0.4, 0.5],
      ['ខ្មែរ', 0.5, 0.9, 0.5],
      ['ធំ', 1, 1.4, 1],
    ]);
    // A foreign word in between is one, as in the writing around it.
    const typed = edit(machine, 0, 'The 活字 type was cast of metal.');
    expect(
      timesOf(typed, 0)
        ?.slice(0, 3)
        .map(([word]) => word),
    ).toEqual(['The', '活字', 'type']);
  });

  test('whose words came in pieces: what the text writes as one word is one', () => {
    const pieces = toTranscript([toSegment(0, 'A well-known book.', 0, ['A', 'well', '-known', 'book.'])]);
    expect(timesOf(edit(pieces, 0, 'A well-known look.'), 0)).toEqual([
      ['A', 0, 0.4, 0.5],
      ['well-known', 0.5, 1.4, 0.5],
      ['look.', 1.5, 1.9, 1],
    ]);
  });

  test('that had no word times has none: what stayed of it is as sure as it was', () => {
    const plain = toTranscript([{ ...toSegment(0, 'Some words.'), words: [] }]);
    const edited = (text: string) => edit(plain, 0, text).segments[0];
    expect(edited('Other words.')).toMatchObject({ text: 'Other words.', words: [], confidence: 0.75 });
    expect(edited('All new.')?.confidence).toBe(1);
    expect(edited('some words')?.confidence).toBe(0.5);
  });

  test('with words put between two that abut, or behind the last: all have time, those at their sides give of theirs', () => {
    const abutting = toTranscript([toAbutting(0, ['and', 'so', 'on.'], 3, [0.4, 0.4, 0.4])]);
    expect(timesOf(edit(abutting, 0, 'and now so on.'), 0)).toEqual([
      ['and', 3, 3.3, 0.5],
      ['now', 3.3, 3.6, 1],
      ['so', 3.6, 3.8, 0.5],
      ['on.', 3.8, 4.2, 0.5],
    ]);
    const added = 'The second point is that nobody had printed with metal before him, which is what made it cheap.';
    const edited = edit(abutting, 0, `and so on. ${added}`);
    const lasting = edited.segments[0]?.words.map(({ start, end }) => Math.round((end - start) * 1000));
    expect(Math.min(...(lasting ?? [0]))).toBeGreaterThanOrEqual(10);
    expect(edited.segments[0]?.words.at(-1)?.end).toBe(4.2);
    // Two lines are read in half a second rather than in a thousandth.
    expect(toSrt(edited.segments)).toContain('00:00:03,000 --> 00:00:03,');
    expect(toSrt(edited.segments)).not.toContain('00:00:04,200 -->');
  });

  test('of any words: they follow each other within the segment, none is shorter than a thousandth, all of the text are there', () => {
    const spelt = {
      en: ['a', 'b', 'c', 'Type', 'type.', '–', 'printing'],
      ja: ['活字', 'は', '、', '「鉛', '「', '作られた。', 'で'],
    };
    const times = fc.array(
      fc.record({ seconds: fc.integer({ min: 1, max: 9 }), gap: fc.integer({ min: -3, max: 4 }) }),
      {
        ...{ minLength: 12, maxLength: 12 },
      },
    );
    const drawn = fc.constantFrom('en', 'ja' as const).chain((language) => {
      const words = fc.array(fc.constantFrom(...spelt[language as 'en' | 'ja']), { maxLength: 12 });
      return fc.record({ language: fc.constant(language), before: words, after: words, times });
    });
    fc.assert(
      fc.property(drawn, ({ language, before, after, times: timing }) => {
        const spoken = before.length > 0 ? before : [language === 'ja' ? '鉛' : 'x'];
        const timed = toAbutting(
          0,
          spoken,
          5,
          timing.map(({ seconds }) => seconds / 10),
          timing.map(({ gap }) => gap / 10),
        );
        const of = toTranscript([{ ...timed, text: spoken.join(language === 'ja' ? '' : ' ') }], language);
        const text = after.join(language === 'ja' ? '' : ' ');
        const [segment] = edit(of, 0, text).segments;
        let last = timed.start;
        for (const { start, end } of segment?.words ?? []) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = start;
        }
        expect(last).toBeLessThanOrEqual(timed.end);
        const written = segment?.words.map(({ word }) => word).join('');
        if (segment?.flags.includes('edited')) expect(written).toBe(text.replaceAll(' ', ''));
      }),
    );
  });

  test('of hostile length: counts as rewritten, and has all of its words', () => {
    const long = toTranscript(Array.from({ length: 400 }, (_, id) => toSegment(id, 'a b '.repeat(110).trim())));
    const edits = long.segments.map(({ id }) => ({ id, text: 'b c '.repeat(1_200).trim() }));
    const edited = applyChanges(long, withEdits(long, [], edits));
    expect(edited.segments.at(-1)?.words).toHaveLength(2_400);
    // 220 by 2,400 words are not compared: it counts as rewritten.
    expect(edited.segments.at(-1)?.confidence).toBe(1);
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
    expect(findUnplaced(anew, changes).map(({ id }) => id)).toEqual([1]);
    expect(findUnplaced(machine, changes)).toEqual([]);
    const more = withEdits(anew, changes, [{ id: 2, text: 'Thank you for listening.' }]);
    expect(applyChanges(anew, more).segments[2]?.text).toBe('Thank you for listening.');
    expect(applyChanges(machine, more).segments.map(({ text }) => text)).toEqual([
      'The missile type was cast of metal.',
      '',
      'A press gave many copies.',
    ]);
  });

  test('hold on where the machine hears the same but for capitals and signs, and are none where it hears what they say', () => {
    const edits = [
      { id: 0, text: 'The missal type was cast of metal.' },
      { id: 2, text: 'A press gave copies!' },
    ];
    const changes = withEdits(machine, [], edits);
    const anew = toTranscript([
      toSegment(0, 'the missile type, was cast of metal', 0.3),
      toSegment(1, 'A press gave copies!', 20.1),
    ]);
    expect(applyChanges(anew, changes).segments.map(({ text, flags }) => [text, ...flags])).toEqual([
      ['The missal type was cast of metal.', 'edited'],
      ['A press gave copies!', 'low_confidence'],
    ]);
    expect(countChanged(anew, changes)).toBe(1);
    expect(findUnplaced(anew, changes)).toEqual([]);
    expect(withEdits(anew, changes, [{ id: 1, text: null }])).toEqual(changes);
    const machines = withEdits(anew, changes, [{ id: 0, text: null }]);
    expect(applyChanges(anew, machines)).toBe(anew);
  });

  test('go to the nearest of those that say the same, not to the one with their number', () => {
    const yes = (id: number, start: number) => ({ ...toSegment(id, 'Yes.', start), end: start + 0.5 });
    const changes = withEdits(toTranscript([toSegment(0, 'Well.', 8), yes(1, 10)]), [], [{ id: 1, text: 'Yes, sir.' }]);
    const anew = toTranscript([toSegment(0, 'Well.', 8), yes(1, 9.2), yes(2, 10)]);
    expect(applyChanges(anew, changes).segments.map(({ text }) => text)).toEqual(['Well.', 'Yes.', 'Yes, sir.']);
    const asNear = toTranscript([yes(0, 9.5), yes(1, 10.5)]);
    expect(applyChanges(asNear, changes).segments.map(({ text }) => text)).toEqual(['Yes.', 'Yes, sir.']);
  });

  test('of any segments: each has its own, also once they have other numbers', () => {
    const said = fc.record({ text: fc.constantFrom('Yes.', 'Um.', 'Well.'), after: fc.integer({ min: 1, max: 20 }) });
    const written = fc.array(fc.constantFrom(null, '', 'yes', 'Ahem.', 'Um.'), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 8 }), written, fc.nat(3), (spoken, texts, moreBefore) => {
        let at = 10;
        const segments = spoken.map(({ text, after }, id) => {
          at = Math.round((at + after / 10) * 10) / 10;
          return toSegment(id, text, at);
        });
        const of = toTranscript(segments);
        const edits = segments.map(({ id }) => ({ id, text: texts[id] ?? null }));
        const changes = withEdits(of, [], edits);
        const wanted = segments.map(({ id, text }) => texts[id] ?? text);
        expect(applyChanges(of, changes).segments.map(({ text }) => text)).toEqual(wanted);
        const before = Array.from({ length: moreBefore }, (_, id) => toSegment(id, 'Um.', id));
        const moved = segments.map((segment) => ({ ...segment, id: segment.id + moreBefore }));
        const anew = applyChanges(toTranscript([...before, ...moved]), changes);
        expect(anew.segments.slice(moreBefore).map(({ text }) => text)).toEqual(wanted);
        const machines = edits.map(({ id }) => ({ id, text: null }));
        expect(withEdits(of, changes, machines)).toEqual([]);
      }),
    );
  });

  test('that have no room beside another do not come up when that is taken back', () => {
    const um = (id: number, start: number) => ({ ...toSegment(id, 'Um.', start), end: start + 0.5 });
    const edits = [
      { id: 0, text: '' },
      { id: 1, text: 'Um, well.' },
    ];
    const changes = withEdits(toTranscript([um(0, 10), um(1, 10.8)]), [], edits);
    const anew = toTranscript([um(0, 10.3)]);
    expect(applyChanges(anew, changes).segments[0]?.text).toBe('');
    for (const text of [null, 'Um.']) expect(withEdits(anew, changes, [{ id: 0, text }])).toEqual([]);
    expect(withEdits(anew, changes, [{ id: 0, text: 'Ahem.' }]).map(({ text }) => text)).toEqual(['Ahem.']);
    // While both are there, each is on its own.
    const both = toTranscript([um(0, 10), um(1, 10.8)]);
    expect(withEdits(both, changes, [{ id: 0, text: null }]).map(({ text }) => text)).toEqual(['Um, well.']);
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
