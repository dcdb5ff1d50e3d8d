/** What was remembered under a key; null for nothing, and in a browser that keeps nothing. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Where a browser keeps nothing it lasts as long as the page does. @param text null forgets it */
export function remember(key: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Full, or forbidden.
  }
}
