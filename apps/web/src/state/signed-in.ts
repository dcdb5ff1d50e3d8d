import { recall, remember } from './browser-memory.ts';

const storageKey = 'studymate.signed-in';

/** Whether somebody has signed in with this browser: the cookie itself cannot be seen from here. */
export function isSignedIn(): boolean {
  return recall(storageKey) !== null;
}

/** A browser that keeps nothing shows no way to sign out; closing it does as much. */
export function rememberSignedIn(isIn: boolean): void {
  remember(storageKey, isIn ? '1' : null);
}
