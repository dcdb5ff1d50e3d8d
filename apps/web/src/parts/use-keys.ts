import { useEffect } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import { isSingleKey } from '../state/single-keys.ts';

/** Where a key has a meaning already it keeps it. */
const busy = 'input, select, textarea, dialog';
const pressed = 'button, a, summary, audio, video, [role=tab]';

/**
 * Keys of a view. @param actions by `KeyboardEvent.key`. Space and arrows are left to what has the focus and uses them;
 * letters and signs do nothing for those who have switched them off
 */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const { singleKeys } = useApp();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(busy) || document.querySelector('dialog[open]') !== null) return;
      const isOfControl = event.key === ' ' || event.key.startsWith('Arrow');
      if (isOfControl && target?.closest(pressed)) return;
      const act = actions[event.key] ?? actions[toLatinKey(event)];
      if (act === undefined || (isSingleKey(event.key) && !singleKeys.areOn.peek())) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}

/** `KeyboardEvent.key`; for a letter of another script, as of an Arabic keyboard, the Latin one on the same key. */
export function toLatinKey({ key, code }: Pick<KeyboardEvent, 'key' | 'code'>): string {
  if (!/^\p{L}$/u.test(key) || /^\p{Script=Latin}$/u.test(key)) return key;
  return code === 'Slash' ? '/' : (/^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? key);
}
