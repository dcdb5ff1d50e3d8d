import { useEffect } from 'preact/hooks';

/** Where a key has a meaning already it keeps it. */
const busy = 'input, select, textarea, dialog';
const pressed = 'button, a, summary, audio, video, [role=tab]';

/**
 * Keys of a view. @param actions by `KeyboardEvent.key`. Space and arrows are left to what has the focus and uses them
 */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest(busy) || document.querySelector('dialog[open]') !== null) return;
      const isOfControl = event.key === ' ' || event.key.startsWith('Arrow');
      if (isOfControl && target?.closest(pressed)) return;
      const act = actions[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}
