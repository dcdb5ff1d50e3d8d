/** A stretch of sound in which somebody speaks, in seconds. */
export interface SpeechStretch {
  start: number;
  end: number;
}

export interface StretchOptions {
  /** One for each frame, 0 to 1. */
  probabilities: ArrayLike<number>;
  frameSeconds: number;
  /** A frame with at least so much is speech. */
  threshold?: number;
  /** Shorter pauses belong to the speech around them: stop consonants are as silent as pauses. */
  minPauseSeconds?: number;
}

/** The stretches of speech, in their order, none touching the next. */
export function toSpeechStretches(options: StretchOptions): SpeechStretch[] {
  const { probabilities, frameSeconds, threshold = 0.5, minPauseSeconds = 0.2 } = options;
  const stretches: SpeechStretch[] = [];
  for (let frame = 0; frame < probabilities.length; frame++) {
    if ((probabilities[frame] as number) < threshold) continue;
    const start = frame * frameSeconds;
    const last = stretches.at(-1);
    if (last !== undefined && start - last.end < minPauseSeconds) last.end = start + frameSeconds;
    else stretches.push({ start, end: start + frameSeconds });
  }
  return stretches;
}

/**
 * Times for words where a model gives none: speech is taken to be even, each word as long as it has letters, and pauses
 * hold no words. An estimate; docs/speech.md says how far it is off.
 * @param stretches where somebody speaks; when there are none, the words are spread over the whole sound
 * @param lengthSeconds of the sound
 * @returns a span for each word, in their order and within the sound
 */
export function spreadOverSpeech(
  words: readonly string[],
  stretches: readonly SpeechStretch[],
  lengthSeconds: number,
): SpeechStretch[] {
  const places = stretches.length > 0 ? stretches : [{ start: 0, end: lengthSeconds }];
  const spoken = places.reduce((sum, { start, end }) => sum + end - start, 0);
  const weights = words.map((word) => Math.max(1, word.replace(/[\p{P}\p{S}\s]/gu, '').length));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  return weights.map((weight) => {
    const start = toMoment(places, (before / total) * spoken, 'after');
    before += weight;
    const end = toMoment(places, (before / total) * spoken, 'before');
    return { start: Math.min(start, lengthSeconds), end: Math.min(end, lengthSeconds) };
  });
}

/** The moment at which so many seconds have been spoken; in a pause, its end (`after`) or its beginning (`before`). */
function toMoment(places: readonly SpeechStretch[], spokenSeconds: number, side: 'after' | 'before'): number {
  // Sums of fractions: a hair more or less than a stretch's end is its end.
  const tolerance = 1e-9;
  let left = spokenSeconds;
  for (const { start, end } of places) {
    const length = end - start;
    const isHere = side === 'before' ? left <= length + tolerance : left < length - tolerance;
    if (isHere) return start + Math.min(left, length);
    left -= length;
  }
  return places.at(-1)?.end ?? 0;
}
