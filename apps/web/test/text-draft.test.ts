import type { Segment } from '@studymate/contracts/transcript';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyDraft,
  findUncertain,
  isContested,
  place,
  rebase,
  redo,
  type TextDraft,
  textOf,
  toExcess,
  toShown,
  toTidy,
  undo,
  withoutSaved,
  withStep,
} from '../src/state/text-draft.ts';
import { findWord } from '../src/text/transcript-text.ts';
import { toSegments } from './lecture.ts';

const lines = toSegments(0, ['one', 'two', 'three']);
const lineAt = (id: number) => lines[id] as Segment;
const write = (draft: TextDraft, id: number, text: string) =>
  withStep(draft, lineAt(id), textOf(draft.changes, lineAt(id)), text);
const read = ({ changes }: TextDraft) => lines.map((line) => textOf(changes, line));

describe('corrections that are not saved', () => {
  test('are taken back and brought again step by step, and a new one ends what could be brought again', () => {
    const draft = write(write(emptyDraft, 0, 'eins'), 1, 'zwei');
    expect(read(draft)).toEqual(['eins', 'zwei', 'three']);
    const back = undo(draft, lines);
    expect([back?.id, back && read(back.draft)]).toEqual([1, ['eins', 'two', 'three']]);
    const again = back && redo(back.draft, lines);
    expect(again && read(again.draft)).toEqual(['eins', 'zwei', 'three']);
    expect(back && redo(write(back.draft, 2, 'drei'), lines)).toBeNull();
    expect(undo(emptyDraft, lines)).toBeNull();
  });

  test('are none any more where the text is what it was', () => {
    const draft = write(write(emptyDraft, 0, 'eins'), 0, 'one');
    expect(draft.changes.size).toBe(0);
    expect(draft.done).toHaveLength(2);
  });

  test('come back to the text as it was, whatever was written, when all steps are undone', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.string())), (writes) => {
        let draft = writes.reduce((before, [id, text]) => write(before, id, text), emptyDraft);
        const written = read(draft);
        let steps = 0;
        for (let taken = undo(draft, lines); taken !== null; taken = undo(draft, lines), steps++) draft = taken.draft;
        expect(read(draft)).toEqual(['one', 'two', 'three']);
        for (let taken = redo(draft, lines); taken !== null; taken = redo(draft, lines), steps--) draft = taken.draft;
        expect([read(draft), steps]).toEqual([written, 0]);
      }),
    );
  });

  test('stay on a newer version, where two that wrote the same segment are told apart', () => {
    const { changes } = write(write(write(emptyDraft, 0, 'eins'), 1, 'zwei'), 2, 'drei');
    const newer = toSegments(0, ['one', 'deux', 'drei']);
    const left = rebase(changes, newer);
    expect([...left.keys()]).toEqual([0, 1]);
    expect(newer.filter((line) => isContested(left.get(line.id), line)).map(({ id }) => id)).toEqual([1]);
    // A shorter text: what stood behind its end is nowhere.
    expect([...rebase(changes, newer.slice(0, 1)).keys()]).toEqual([0]);
  });

  test('are gone once saved, but not what was written while they were on their way', () => {
    const sent = write(write(emptyDraft, 0, 'eins'), 1, 'zwei').changes;
    const now = write({ ...emptyDraft, changes: sent }, 1, 'zwei und mehr').changes;
    const left = withoutSaved(now, sent, toSegments(0, ['eins', 'zwei', 'three']));
    expect([...left]).toEqual([[1, { start: 1, end: 2, text: 'zwei und mehr', from: 'zwei' }]]);
  });

  test('are one line without needless spaces', () => {
    expect(toTidy('  a\n b\t c ')).toBe('a b c');
  });

  test('have no signs that nobody sees and the API refuses, and composed accents', () => {
    expect(toTidy('a\u0002b \u0007 c\u001F\ud800 e\u0301')).toBe('ab c \u00e9');
  });

  test('stand in the field as they are typed, and not as they are kept', () => {
    expect([toShown('a  b ', 'a b'), toShown('a b', 'c')]).toEqual(['a  b ', 'c']);
  });

  test('are longer than they can be by what the API would refuse, for the length of their segment', () => {
    const [line] = toSegments(0, ['one']);
    const of = (length: number) =>
      toExcess({ start: 0, end: 1, from: 'one', text: 'x'.repeat(length) }, line as Segment);
    expect([of(250), of(253)]).toEqual([0, 3]);
  });

  test('taken back below somebody else’s text are one’s own change of what stood there, and so marked', () => {
    const { done } = write(emptyDraft, 0, 'eins');
    const newer = toSegments(0, ['un', 'two', 'three']);
    const change = undo({ ...emptyDraft, done }, newer)?.draft.changes.get(0);
    expect([change?.text, isContested(change, newer[0] as Segment)]).toEqual(['one', true]);
  });

  test('of a text that is made anew go where the same words are said, and what is said nowhere has no place', () => {
    const { changes } = write(write(write(emptyDraft, 0, 'eins'), 1, 'zwei'), 2, 'drei');
    const anew = toSegments(0, ['', 'One.', 'two', 'tree']).map((line, i) => ({
      ...line,
      start: i - 0.8,
      end: i + 0.2,
    }));
    const { changes: placed, unplaced } = place(changes.values(), anew);
    expect([...placed].map(([id, { text, from }]) => [id, text, from])).toEqual([
      [1, 'eins', 'One.'],
      [2, 'zwei', 'two'],
    ]);
    expect(unplaced.map(({ text }) => text)).toEqual(['drei']);
    // By their number they would lie on others' words.
    expect(rebase(changes, anew).size).toBe(0);
  });
});

describe('segments to look at', () => {
  const word = (text: string, probability: number) => ({ word: text, start: 0, end: 1, probability });
  const segments: Segment[] = toSegments(0, ['sure', 'un sure', 'flagged', 'by hand']);
  Object.assign(segments[1] as Segment, { words: [word('un', 0.9), word('sure', 0.2)] });
  Object.assign(segments[2] as Segment, { flags: ['low_confidence'] });
  Object.assign(segments[3] as Segment, { flags: ['edited'], words: [word('by', 0.2)] });

  test('come one after the other, round about, in both directions, without those that somebody has written', () => {
    const none = new Map();
    expect(findUncertain(segments, none, -1, 1)).toBe(1);
    expect(findUncertain(segments, none, 1, 1)).toBe(2);
    expect(findUncertain(segments, none, 2, 1)).toBe(1);
    expect(findUncertain(segments, none, 1, -1)).toBe(2);
    const written = new Map([[1, { start: 1, end: 2, text: 'sure', from: 'un sure' }]]);
    expect(findUncertain(segments, written, 2, 1)).toBe(2);
    // Somebody else has changed what it was written for.
    expect(findUncertain(segments, new Map([[0, { start: 0, end: 1, text: 'mine', from: 'before' }]]), 2, 1)).toBe(0);
    expect(findUncertain([], none, -1, 1)).toBe(-1);
  });

  test('begin with the first word of which the model was not sure', () => {
    const found = findWord(segments[1] as Segment, ({ probability }) => probability < 0.5);
    expect(found).toEqual({ from: 3, to: 7 });
    expect(findWord(segments[0] as Segment, () => true)).toBeNull();
  });
});
