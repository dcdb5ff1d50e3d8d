import type { Segment } from './transcript.ts';

/** A segment has at most some 30 s of speech, about 600 characters. */
export const maxSegmentCharacters = 5_000;

/**
 * How long a corrected text may be: longer than anybody speaks (some 25 characters a second), so that a transcript takes no
 * more memory than the length of its recording allows.
 */
export function mostCharacters({ start, end, text }: Pick<Segment, 'start' | 'end' | 'text'>): number {
  return Math.min(maxSegmentCharacters, Math.max(text.length, 200 + Math.ceil(50 * (end - start))));
}
