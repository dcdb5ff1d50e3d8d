import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** Whether what had the focus is gone, or disabled: a keyboard would begin anew at the top of the page. */
export function hasLostFocus(): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || activeElement.matches(':disabled');
}

/**
 * Where a button goes away because it was pressed, the focus goes to a place beside it.
 * @param place something that can have the focus @returns to be called when such a button is pressed
 */
export function useFocusAfter(place: RefObject<HTMLElement | null>): () => void {
  const wasPressed = useRef(false);
  useLayoutEffect(() => {
    if (!wasPressed.current || !hasLostFocus()) return;
    wasPressed.current = false;
    place.current?.focus({ preventScroll: true });
  });
  return () => {
    wasPressed.current = true;
  };
}
