import { z } from 'zod';
import { idSchema } from './ids.ts';

/** Bodies and answers of `/api/v1/search`, `/api/v1/ask` and related moments. Times are seconds of the recording. */
export const searchModes = ['keyword', 'semantic', 'hybrid'] as const;
export type SearchMode = (typeof searchModes)[number];

export const maxQueryCharacters = 500;

export const searchQuerySchema = z.object({
  q: z.string().trim().min(1).max(maxQueryCharacters),
  courseId: idSchema.optional(),
  lectureId: idSchema.optional(),
  mode: z.enum(searchModes).default('hybrid'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
});
export type SearchQuery = z.input<typeof searchQuerySchema>;

/** A stretch of a lecture that was found. */
export const momentSchema = z.object({
  lectureId: idSchema,
  title: z.string(),
  courseId: z.string().nullable(),
  /** Of the chapter in which it begins; null while there are no chapters. */
  chapterTitle: z.string().nullable(),
  startSeconds: z.number().nonnegative(),
  endSeconds: z.number().nonnegative(),
  text: z.string(),
  score: z.number(),
});
export type Moment = z.infer<typeof momentSchema>;

/** How much of what the caller may read was looked through; less than all while lectures are still being read. */
const searchedSchema = z.object({ searched: z.number().int(), total: z.number().int() });

export const searchResponseSchema = z.object({
  /** How it was searched: `keyword` where both ways were asked for and the model was not there in time. */
  mode: z.enum(searchModes),
  /** Best first. `score` is comparable within one answer; `highlights` are UTF-16 indexes of `text`, `to` exclusive. */
  results: z.array(
    momentSchema.extend({
      highlights: z.array(z.object({ from: z.number().int().nonnegative(), to: z.number().int().nonnegative() })),
    }),
  ),
  lectures: searchedSchema,
});
export type SearchResponse = z.infer<typeof searchResponseSchema>;

export const askRequestSchema = z
  .object({
    question: z.string().trim().min(1).max(maxQueryCharacters),
    lectureId: idSchema.optional(),
    courseId: idSchema.optional(),
    /** As an earlier answer gave it: what was asked before helps to understand the question. */
    conversationId: idSchema.optional(),
    limit: z.number().int().min(1).max(20).default(5),
    /** Server-sent events: the passages first, then what a language model says of them, statement by statement. */
    stream: z.boolean().optional(),
  })
  .refine(({ lectureId, courseId }) => !(lectureId && courseId), 'give lectureId or courseId, not both');
export type AskRequest = z.input<typeof askRequestSchema>;

/** What a language model says, and the passages that say so, by their places in the answer, from 0. */
export const answerStatementSchema = z.object({
  text: z.string(),
  passages: z.array(z.number().int().nonnegative()).min(1),
});
export type AnswerStatement = z.infer<typeof answerStatementSchema>;

export const askResponseSchema = z.object({
  /** Whether anything that was found answers the question; without it there are no passages. */
  answerable: z.boolean(),
  /** Best first. `score`: the probability that the passage answers the question. */
  passages: z.array(momentSchema),
  /** Where a language model is configured and was of use: its statements put together, and one by one. */
  answer: z.string().optional(),
  statements: z.array(answerStatementSchema).optional(),
  mode: z.enum(searchModes),
  conversationId: idSchema,
  lectures: searchedSchema,
});
export type AskResponse = z.infer<typeof askResponseSchema>;

export const relatedQuerySchema = z.object({
  courseId: idSchema.optional(),
  limit: z.coerce.number().int().min(1).max(20).default(5),
});

/** Moments of other lectures that treat the same thing as a chapter, the likest first; `score` is a cosine. */
export const relatedResponseSchema = z.object({ moments: z.array(momentSchema), lectures: searchedSchema });
export type RelatedResponse = z.infer<typeof relatedResponseSchema>;

/** What a worker is asked for, to compare a query with what lectures hold. */
export const embedRequestSchema = z.object({ texts: z.array(z.string().max(2_500)).min(1).max(16) });
export type EmbedRequest = z.infer<typeof embedRequestSchema>;
export const embedResponseSchema = z.object({
  /** The model and its weights, for example "all-MiniLM-L6-v2#1a2b3c4d". */
  weights: z.string(),
  /** One of length 1 for each text. */
  vectors: z.array(z.array(z.number())),
});
export type EmbedResponse = z.infer<typeof embedResponseSchema>;
