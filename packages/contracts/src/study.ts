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

/** How long a summary is, the shortest first. */
export const summaryLengths = ['short', 'medium', 'long'] as const;
export const summaryLengthSchema = z.enum(summaryLengths);
export type SummaryLength = z.infer<typeof summaryLengthSchema>;

/** How a summary was made: of the lecture's own sentences, or in a language model's words, each held against them. */
export const summaryMethods = ['extractive', 'generative'] as const;

export const summarySchema = z.object({
  /** Summaries of before there were two ways are `extractive` and do not say so. */
  method: z.enum(summaryMethods).optional(),
  /** The language model that wrote it. */
  model: z.string().optional(),
  /** Every statement cites the moment it was said, in seconds. */
  statements: z.array(
    z.object({
      text: z.string(),
      start: z.number(),
      end: z.number(),
      /** The shortest summary that has it; every longer one has it as well. Without one: medium. */
      length: summaryLengthSchema.optional(),
    }),
  ),
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

/** A card as it is kept. */
export const storedFlashcardSchema = flashcardSchema.extend({
  /** Three wrong answers of the same kind as the right one, where the lecture has them: then it is a question of the quiz. */
  distractors: z.array(z.string()).length(3).optional(),
});
export type StoredFlashcard = z.infer<typeof storedFlashcardSchema>;

/** A question of a lecture's quiz. Its `id` is that of the card that it is made of. */
export const quizQuestionSchema = z.object({
  id: z.string(),
  /** Of the card: a definition whose term is asked for, a sentence with a blank, or a question. */
  type: flashcardSchema.shape.type,
  question: z.string(),
  choices: z.array(z.string()).length(4),
  /** Place of the right one among the choices, from 0. */
  answer: z.number().int().min(0).max(3),
  /** The moment of the lecture that tells, in seconds. */
  start: z.number().nonnegative(),
});
export type QuizQuestion = z.infer<typeof quizQuestionSchema>;
