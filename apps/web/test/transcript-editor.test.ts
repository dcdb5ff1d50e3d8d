import { signal } from '@preact/signals';
import { ApiError } from '@studymate/client/api-error';
import type { Segment } from '@studymate/contracts/transcript';
import type { EditTranscript } from '@studymate/contracts/transcript-edit';
import { expect, test, vi } from 'vitest';
import type { Change } from '../src/state/text-draft.ts';
import { createTranscriptEditor } from '../src/state/transcript-editor.ts';
import { toSegments } from './lecture.ts';

/** A lecture's text in an API that keeps versions, and what the page shows of it. */
function createText(texts: readonly string[], left: ReadonlyMap<number, Change> = new Map()) {
  const kept = { version: 0, texts: [...texts] };
  const segments = signal<readonly Segment[]>(toSegments(0, texts));
  const remembered = new Map<number, Change>(left);
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
    lectureId: 'x',
    owner: 'ada',
    segments,
    left,
    readVersion: () => shown,
    memory: {
      async note(_, __, changed) {
        for (const [id, change] of changed) {
          if (change === null) remembered.delete(id);
          else remembered.set(id, change);
        }
      },
    },
    store: {
      readMachine: async () => toSegments(0, texts),
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
  expect([...remembered.values()]).toEqual([{ text: 'eins', from: 'one' }]);
  expect(editor.undo()).toBe(0);
  expect(editor.changes.value.size).toBe(0);
  expect(remembered.size).toBe(0);
  editor.redo();
  await editor.save();
  expect(kept).toEqual({ version: 1, texts: ['eins', 'two'] });
  expect([editor.changes.value.size, remembered.size, editor.saved.value]).toEqual([0, 0, 1]);
  // Also what is saved can be taken back, as one more correction.
  editor.undo();
  expect(editor.changes.value.get(0)).toEqual({ text: 'one', from: 'eins' });
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
  const left = new Map([[1, { text: 'zwei', from: 'two' }]]);
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
  expect(editor.changes.value.get(0)).toEqual({ text: 'one', from: 'eins' });
  editor.discard();
  write(1, 'zwei');
  await editor.restore(0);
  expect([kept.version, segments.value[0]?.text, editor.changes.value.get(1)?.text]).toEqual([2, 'one', 'zwei']);
});
