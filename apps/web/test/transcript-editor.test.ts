import { signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditTranscript } from '@studymate/contracts/transcript-edit';
import { expect, test, vi } from 'vitest';
import type { Change } from '../src/state/text-draft.ts';
import { createTranscriptEditor } from '../src/state/transcript-editor.ts';
import { toEditingStatus } from '../src/text/editing-status.ts';
import { en } from '../src/text/en.ts';
import { toSegments } from './lecture.ts';

/** A lecture's text in an API that keeps versions, and what the page shows of it. */
function createText(texts: readonly string[], left: readonly Change[] = []) {
  const kept = { version: 0, texts: [...texts] };
  const segments = signal<readonly Segment[]>(toSegments(0, texts));
  const remembered = new Map(left.map((change) => [change.start, change]));
  let shown = 0;
  const show = () => {
    shown = kept.version;
    segments.value = toSegments(0, kept.texts);
  };
  const put = (changes: EditTranscript['segments']) => {
    kept.version += 1;
    for (const { id, text } of changes) kept.texts[id] = text ?? texts[id] ?? '';
  };
  const save = vi.fn(async (changes: EditTranscript['segments'], version: number) => {
    if (version !== kept.version) {
      throw new ApiError(412, null, null, { error: { code: 'version_mismatch', message: 'newer' } });
    }
    put(changes);
    return { version: kept.version, segments: toSegments(0, kept.texts) };
  });
  const editor = createTranscriptEditor({
    draftOf: { owner: 'ada', lectureId: 'x' },
    segments,
    left,
    readVersion: () => shown,
    memory: {
      isKept: signal(true),
      async note(_, notes) {
        for (const { before, after } of notes) {
          if (after !== null) remembered.set(after.start, after);
          else if (before !== null) remembered.delete(before.start);
        }
      },
    },
    store: {
      readText: async (version) => toSegments(0, version === 0 ? texts : kept.texts),
      save,
      restore: async () => {
        put(texts.map((text, id) => ({ id, text })));
        return { version: kept.version, segments: toSegments(0, texts) };
      },
      listVersions: async () => [],
    },
    onEdited: show,
    async refresh() {
      show();
    },
  });
  const write = (id: number, text: string) => {
    editor.open(id);
    editor.type(text);
  };
  return { editor, kept, put, save, segments, remembered, write };
}

test('what is typed is one step, tidied when the field is left, and remembered until it is saved', async () => {
  const { editor, kept, remembered, write } = createText(['one', 'two']);
  write(0, 'e');
  editor.type('eins  ');
  editor.open(1);
  expect(editor.changes.value.get(0)?.text).toBe('eins');
  expect([...remembered.values()]).toEqual([{ start: 0, end: 1, text: 'eins', from: 'one' }]);
  expect(editor.undo()).toBe(0);
  expect(editor.changes.value.size).toBe(0);
  expect(remembered.size).toBe(0);
  editor.redo();
  await editor.save();
  expect(kept).toEqual({ version: 1, texts: ['eins', 'two'] });
  expect([editor.changes.value.size, remembered.size, editor.saved.value]).toEqual([0, 0, 1]);
  // Also what is saved can be taken back, as one more correction.
  editor.undo();
  expect(editor.changes.value.get(0)).toMatchObject({ text: 'one', from: 'eins' });
});

test('a save that meets a newer version keeps what was written, and goes on top of it when that is wanted', async () => {
  const { editor, kept, put, remembered, write } = createText(['one', 'two', 'three']);
  write(0, 'eins');
  write(1, 'zwei');
  put([{ id: 1, text: 'deux' }]);
  await editor.save();
  expect([editor.phase.value, kept.version, remembered.size]).toEqual(['behind', 1, 2]);
  await editor.catchUp();
  expect([editor.phase.value, editor.contested.value]).toEqual(['open', 1]);
  editor.takeNewer(1);
  await editor.save();
  expect(kept).toEqual({ version: 2, texts: ['eins', 'deux', 'three'] });
});

test('what an earlier visit has left is there again, and a click on save is one save', async () => {
  const left = [{ start: 1, end: 2, text: 'zwei', from: 'two' }];
  const { editor, kept, save } = createText(['one', 'two'], left);
  expect([...editor.changes.value.keys()]).toEqual([1]);
  await Promise.all([editor.save(), editor.save()]);
  expect([save.mock.calls.length, kept.texts]).toEqual([1, ['one', 'zwei']]);
  await editor.save();
  expect(save.mock.calls).toHaveLength(1);
});

test('one’s own text for what somebody else has saved is nothing to look at any more once one keeps it', async () => {
  const { editor, kept, put, write } = createText(['one', 'two']);
  write(0, 'mine');
  put([{ id: 0, text: 'theirs' }]);
  await editor.save();
  await editor.catchUp();
  expect([editor.contested.value, editor.uncertain.value]).toEqual([1, 1]);
  editor.keepOwn(0);
  expect([editor.contested.value, editor.uncertain.value]).toEqual([0, 0]);
  await editor.save();
  expect(kept.texts[0]).toBe('mine');
});

test('what cannot be saved stays, with the reason, and nothing is forgotten while there is no text', async () => {
  const { editor, save, segments, remembered, write } = createText(['one']);
  write(0, 'eins');
  save.mockRejectedValueOnce(new TypeError('away'));
  await editor.save();
  expect([editor.phase.value, editor.problem.value instanceof TypeError, editor.changes.value.size]).toEqual([
    'open',
    true,
    1,
  ]);
  segments.value = [];
  editor.close();
  expect(remembered.get(0)?.text).toBe('eins');
});

test('the machine’s text comes back for one segment, and by a version for all, with what is not saved still on it', async () => {
  const { editor, kept, segments, write } = createText(['one', 'two']);
  write(0, 'eins');
  await editor.save();
  await editor.revert(0);
  expect(editor.changes.value.get(0)).toMatchObject({ text: 'one', from: 'eins' });
  editor.discard();
  write(1, 'zwei');
  await editor.restore(0);
  expect([kept.version, segments.value[0]?.text, editor.changes.value.get(1)?.text]).toEqual([2, 'one', 'zwei']);
});

test('a save that nobody answered says so beside what is not saved, until something else is written', async () => {
  const { editor, save, write } = createText(['one', 'two']);
  write(0, 'eins');
  save.mockRejectedValueOnce(new TypeError('away'));
  await editor.save();
  expect(toEditingStatus(editor, en)).toBe(`${en.editing.away} ${en.editing.changed(1)}`);
  editor.type('einz');
  expect(toEditingStatus(editor, en)).toBe(en.editing.changed(1));
  save.mockRejectedValueOnce(new TypeError('away'));
  await editor.save();
  editor.discard();
  expect([editor.problem.value, toEditingStatus(editor, en)]).toEqual([null, null]);
});

test('what was saved though its answer was lost is saved, and what was typed on since is nobody else’s', async () => {
  const { editor, kept, put, save, write } = createText(['one', 'two']);
  write(0, 'eins');
  write(1, 'zwei');
  save.mockImplementationOnce(async (changes) => {
    put(changes);
    throw new DOMException('no answer', 'TimeoutError');
  });
  await editor.save();
  editor.type('zwei und');
  await editor.save();
  expect([editor.phase.value, editor.contested.value, [...editor.changes.value.keys()]]).toEqual(['open', 0, [1]]);
  await editor.save();
  expect([kept, editor.saved.value]).toEqual([{ version: 2, texts: ['eins', 'zwei und'] }, 2]);
});

test('a text that is too long keeps none of the others from being saved, and is opened', async () => {
  const { editor, kept, write } = createText(['one', 'two']);
  write(1, 'x'.repeat(251));
  write(0, 'eins');
  expect(editor.tooLong.value).toBe(1);
  await editor.save();
  expect([kept.texts, [...editor.changes.value.keys()], editor.field.value?.id]).toEqual([['eins', 'two'], [1], 1]);
  await editor.save();
  expect(kept.version).toBe(1);
});

test('a refusal that names a segment is told at that one, which is opened, until something is written', async () => {
  const { editor, save, write } = createText(['one', 'two', 'three']);
  write(1, 'zwei');
  write(2, 'drei');
  editor.closeField();
  const message = 'segments.1.text: must be something else';
  save.mockRejectedValueOnce(new ApiError(400, null, null, { error: { code: 'invalid_request', message } }));
  await editor.save();
  expect([editor.refused.value, editor.field.value?.id]).toEqual([{ id: 2, reason: 'must be something else' }, 2]);
  expect(toEditingStatus(editor, en)).toBe(`${en.editing.refused} ${en.editing.changed(2)}`);
  editor.type('drei!');
  expect(editor.refused.value).toBeNull();
});

test('what an earlier version says elsewise is what stands there now, and what would', async () => {
  const { editor, write } = createText(['one', 'two']);
  write(1, 'zwei');
  await editor.save();
  write(0, 'not saved');
  expect(await editor.compare(0)).toEqual([{ start: 1, before: 'zwei', after: 'two' }]);
  expect(await editor.compare(1)).toEqual([]);
});

test('a space at the end of what is typed outlasts a step in the middle of a word', () => {
  const { editor, write } = createText(['one']);
  write(0, 'a ');
  editor.commit();
  editor.type('a b');
  expect(editor.changes.value.get(0)?.text).toBe('a b');
  editor.undo();
  expect(editor.changes.value.get(0)?.text).toBe('a');
});

test('a text that somebody else has saved below an open field is no step of one’s own', async () => {
  const { editor, put, segments } = createText(['one', 'two']);
  editor.open(0);
  put([{ id: 0, text: 'un' }]);
  segments.value = toSegments(0, ['un', 'two']);
  editor.open(1);
  expect([editor.canUndo.value, editor.changes.value.size]).toEqual([false, 0]);
});

test('what a correction is made on is remembered anew with each save', async () => {
  const { editor, put, remembered, write } = createText(['one', 'two']);
  write(0, 'eins');
  put([{ id: 0, text: 'un' }]);
  await editor.save();
  await editor.catchUp();
  expect(editor.contested.value).toBe(1);
  await editor.restore(0);
  expect(remembered.get(0)).toEqual({ start: 0, end: 1, text: 'eins', from: 'one' });
});

test('corrections of a text that was made anew are not sent where they do not belong, and wait to be copied', async () => {
  const { editor, segments, remembered, save, write } = createText(['one', 'two']);
  write(0, 'eins');
  write(1, 'zwei');
  editor.closeField();
  segments.value = toSegments(0, ['', 'one', 'something else']).map((line) => ({ ...line, start: line.id - 0.5 }));
  expect([...editor.changes.value].map(([id, { text }]) => [id, text])).toEqual([[1, 'eins']]);
  expect(editor.unplaced.value.map(({ text }) => text)).toEqual(['zwei']);
  await editor.save();
  expect(save.mock.calls[0]?.[0]).toEqual([{ id: 1, start: 0.5, end: 2, text: 'eins' }]);
  expect([...remembered.values()].map(({ text }) => text)).toEqual(['zwei']);
  editor.discardUnplaced();
  expect(remembered.size).toBe(0);
});

test('corrections behind the end of a text that comes in pieces are neither sent nor forgotten', () => {
  const { editor, segments, remembered, write } = createText(['one', 'two']);
  write(1, 'zwei');
  editor.closeField();
  segments.value = toSegments(0, ['one']);
  write(0, 'eins');
  editor.commit();
  expect([[...editor.changes.value.keys()], remembered.size, editor.unsaved.value]).toEqual([[0], 2, 2]);
});
