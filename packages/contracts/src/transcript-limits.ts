/** A segment has at most some 30 s of speech, about 600 characters. */
export const maxSegmentCharacters = 5_000;
