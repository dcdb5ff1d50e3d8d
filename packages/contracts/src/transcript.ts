import { z } from 'zod';

/** Times are seconds from the start of the recording. */
export const wordSchema = z.object({
  /** The word with its punctuation, without surrounding white space. */
  word: z.string(),
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  /** The share of such words that prove right, 0 to 1. */
  probability: z.number().min(0).max(1),
});
export type Word = z.infer<typeof wordSchema>;

/** `edited`: the text is a person's, and the others, which doubt the machine's, are gone. */
export const segmentFlags = ['low_confidence', 'possible_hallucination', 'repeated', 'edited'] as const;

export const segmentSchema = z.object({
  /** Position in the transcript, from 0 without gaps. */
  id: z.number().int().nonnegative(),
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  text: z.string(),
  confidence: z.number().min(0).max(1),
  flags: z.array(z.enum(segmentFlags)),
  /** Only where the segment is in another language than the whole: its ISO 639-1 code. */
  language: z.string().optional(),
  words: z.array(wordSchema),
});
export type Segment = z.infer<typeof segmentSchema>;

export const transcriptSchema = z.object({
  /** ISO 639-1 code such as "en"; null when nobody speaks. */
  language: z.string().nullable(),
  text: z.string(),
  segments: z.array(segmentSchema),
});
export type Transcript = z.infer<typeof transcriptSchema>;

/** A transcript as a person has corrected it. */
export const versionedTranscriptSchema = transcriptSchema.extend({
  /** Which version of the text: 0 is the machine's. */
  version: z.number().int().nonnegative(),
});
export type VersionedTranscript = z.infer<typeof versionedTranscriptSchema>;

/** What is transcribed so far of a lecture that still runs, has failed or was cancelled. */
export const partialTranscriptSchema = versionedTranscriptSchema.extend({
  /** Whether this is the whole transcript. Segments are numbered as they stand here; in the whole one they may not be. */
  complete: z.boolean(),
  /** Speech that was found but has no text, by time. What lies behind the end of the last chunk is not known yet. */
  gaps: z.array(z.object({ start: z.number().nonnegative(), end: z.number().nonnegative() })),
});
export type PartialTranscript = z.infer<typeof partialTranscriptSchema>;
