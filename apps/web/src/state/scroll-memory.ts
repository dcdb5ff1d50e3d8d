/** Remembers how far each view was scrolled, for those who go back to it. */
export interface ScrollMemory {
  /** The address has changed, and the view of the old one is still there. @returns how far the new one was scrolled */
  leave(): number;
}

/** The browser's own way does not wait for lists that are still to come. */
export function createScrollMemory(): ScrollMemory {
  history.scrollRestoration = 'manual';
  const known = new Map<unknown, number>();
  let visit: unknown = stamp();
  return {
    leave() {
      known.set(visit, window.scrollY);
      const earlier: unknown = history.state?.visit;
      visit = earlier ?? stamp();
      return known.get(visit) ?? 0;
    },
  };
}

/** Marks this place of the history, for when somebody comes back to it. */
function stamp(): number {
  const visit = Date.now();
  history.replaceState({ visit }, '');
  return visit;
}

/** Lists that are asked for are there by then. */
const patienceMs = 5_000;

/** Keeps to a place while what is above and below it comes in, unless somebody scrolls meanwhile. @returns ends it */
export function keepScrolledTo(y: number): () => void {
  window.scrollTo(0, y);
  if (y === 0) return () => {};
  const over = new AbortController();
  const stop = () => over.abort();
  const observer = new ResizeObserver(() => window.scrollTo(0, y));
  observer.observe(document.body);
  const timer = setTimeout(stop, patienceMs);
  for (const type of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
    window.addEventListener(type, stop, { passive: true, signal: over.signal });
  }
  over.signal.addEventListener('abort', () => {
    observer.disconnect();
    clearTimeout(timer);
  });
  return stop;
}
