import { z } from 'zod';

/** A titled span of one lecture; spans follow each other without gaps, in seconds. */
export const chapterSchema = z.object({
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  title: z.string().min(1),
  level: z.enum(['coarse', 'general', 'fine']),
});
export type Chapter = z.infer<typeof chapterSchema>;

export const topicSchema = z.object({
  id: z.number().int().nonnegative(),
  label: z.string(),
  /** Heaviest first; weights are positive and comparable within one answer. */
  terms: z.array(z.object({ term: z.string(), weight: z.number() })),
  /** How many documents (sentences, for a lecture) belong to it. */
  size: z.number().int().positive(),
});
export type Topic = z.infer<typeof topicSchema>;

/** Topics of one lecture, each with the spans (seconds) in which it is spoken of. */
export const lectureTopicSchema = topicSchema.extend({
  spans: z.array(z.object({ start: z.number(), end: z.number() })),
});
export type LectureTopic = z.infer<typeof lectureTopicSchema>;

export const topicAssignmentsSchema = z.object({
  topics: z.array(topicSchema),
  /** For each document in order the id of its topic, or null for none. */
  assignments: z.array(z.number().int().nullable()),
});
export type TopicAssignments = z.infer<typeof topicAssignmentsSchema>;

export const summarySchema = z.object({
  /** Every statement cites the moment it was said, in seconds. */
  statements: z.array(z.object({ text: z.string(), start: z.number(), end: z.number() })),
  keyTerms: z.array(z.object({ term: z.string(), definition: z.string(), start: z.number() })),
});
export type Summary = z.infer<typeof summarySchema>;

export const flashcardSchema = z.object({
  id: z.string(),
  type: z.enum(['definition', 'cloze', 'question']),
  front: z.string(),
  back: z.string(),
  /** The moment of the lecture that the card is taken from, in seconds. */
  start: z.number().nonnegative(),
});
export type Flashcard = z.infer<typeof flashcardSchema>;
