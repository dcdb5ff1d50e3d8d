const storageKey = 'studymate.signed-in';

/** Whether somebody has signed in with this browser: the cookie itself cannot be seen from here. */
export function isSignedIn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== null;
  } catch {
    return false;
  }
}

export function rememberSignedIn(isIn: boolean): void {
  try {
    if (isIn) localStorage.setItem(storageKey, '1');
    else localStorage.removeItem(storageKey);
  } catch {
    // A browser that keeps nothing shows no way to sign out; closing it does as much.
  }
}
