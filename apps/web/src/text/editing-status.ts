import type { TranscriptEditor } from '../state/transcript-editor.ts';
import type { Messages } from './en.ts';
import { isAway, toMessage } from './problems.ts';

/** Where one stands with the corrections; null before anything was done. Nothing that is not saved is kept quiet. */
export function toEditingStatus(editor: TranscriptEditor, m: Messages): string | null {
  const { editing } = m;
  const changed = editor.changes.value.size;
  const waits = changed > 0 ? editing.changed(changed) : null;
  const problem = editor.problem.value;
  if (editor.phase.value === 'saving') return editing.saving;
  const unkept = changed > 0 && !editor.isKept.value ? editing.notKept : null;
  if (editor.phase.value === 'behind') return join(editing.behind, unkept);
  if (editor.refused.value !== null) return join(editing.refused, waits, unkept);
  if (problem !== null) return join(isAway(problem) ? editing.away : toMessage(problem, m), waits, unkept);
  const tooLong = editor.tooLong.value;
  if (tooLong > 0) return join(editing.tooLong(tooLong), waits, unkept);
  const contested = editor.contested.value;
  if (contested > 0) return join(editing.contested(contested), unkept);
  if (waits !== null) return join(waits, unkept);
  const saved = editor.saved.value;
  return saved === null ? null : editing.saved(saved);
}

function join(...sentences: (string | null)[]): string {
  return sentences.filter((sentence) => sentence !== null).join(' ');
}
