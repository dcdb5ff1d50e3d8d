import { useEffect } from 'preact/hooks';
import { toLatinKey } from './use-keys.ts';

/** Of a key that belongs to an input method: https://www.w3.org/TR/uievents/#determine-keydown-keyup-keyCode */
const compositionKeyCode = 229;

export type EditingAction =
  | 'leave'
  | 'play'
  | 'next'
  | 'previous'
  | 'nextUncertain'
  | 'previousUncertain'
  | 'undo'
  | 'redo'
  | 'save';

/** What a key does in the field; null: what it does in every field. */
export function findAction(
  event: KeyboardEvent,
  field: { isUntouched: boolean; canRedoInField: boolean },
): EditingAction | null {
  // Safari has ended the composition by then, and says so with the old code alone.
  if (event.isComposing || event.keyCode === compositionKeyCode) return null;
  const { key, shiftKey, altKey } = event;
  const isControl = event.ctrlKey || event.metaKey;
  if (key === 'Escape') return 'leave';
  if (key === 'Enter') return isControl ? 'play' : altKey ? null : shiftKey ? 'previous' : 'next';
  if (altKey && key === 'ArrowDown') return 'nextUncertain';
  if (altKey && key === 'ArrowUp') return 'previousUncertain';
  if (!isControl || altKey) return null;
  const letter = toLatinKey(event).toLowerCase();
  if (letter === 's') return shiftKey ? null : 'save';
  const isRedo = letter === 'y' || (letter === 'z' && shiftKey);
  if (isRedo) return field.canRedoInField ? null : 'redo';
  return letter === 'z' && field.isUntouched ? 'undo' : null;
}

type BarAction = Exclude<EditingAction, 'leave' | 'play' | 'next' | 'previous'>;

/** The keys that do something while no field is open, wherever the focus is but in another field. */
export function useEditingKeys(actions: Readonly<Record<BarAction, () => void>>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      if (event.defaultPrevented || target?.closest('input, select, textarea, dialog')) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const act = findAction(event, { isUntouched: true, canRedoInField: false });
      if (act === null || !(act in actions)) return;
      event.preventDefault();
      actions[act as BarAction]();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}
