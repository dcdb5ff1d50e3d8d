/** So much of an answer is looked at before any of it is passed on. */
export const judgedCharacters = 120;

const wordPattern = /\p{L}{4,}/gu;

/**
 * Whether the beginning of an answer cannot be that of a summary: it has hardly any letters, or not one of its longer
 * words is in the text. Words are compared by their first five letters, since a summary inflects them anew; a beginning
 * with fewer than four of them, such as of writing without spaces, is not judged by them.
 */
export function isNonsense(beginning: string, text: string): boolean {
  const letters = beginning.match(/[\p{L}\p{M}\p{N}]/gu)?.length ?? 0;
  const visible = beginning.match(/\S/gu)?.length ?? 0;
  if (letters === 0 || letters < visible / 2) return true;
  const stems = (beginning.toLowerCase().match(wordPattern) ?? []).map((word) => word.slice(0, 5));
  if (new Set(stems).size < 4) return false;
  const known = text.toLowerCase();
  return stems.every((stem) => !known.includes(stem));
}

const loopedCharacters = 300;

/** Whether an answer only repeats itself: its last 300 characters are one piece of at most 60, over and over. */
export function isLooping(answer: string): boolean {
  if (answer.length < loopedCharacters) return false;
  const end = answer.slice(-loopedCharacters);
  for (let period = 1; period <= 60; period++) {
    if (end.slice(period) === end.slice(0, -period)) return true;
  }
  return false;
}
