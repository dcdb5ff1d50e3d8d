import { z } from 'zod';
import { segmentDecodingSchema } from './artifacts.ts';
import { topicAssignmentsSchema } from './study.ts';
import { segmentSchema, wordSchema } from './transcript.ts';

/** Bodies and answers of the routes that work on short clips and on texts, without a lecture. */
const documentText = z.string().trim().min(1).max(20_000);

export const topicsRequestSchema = z.object({
  documents: z
    .array(z.union([documentText, z.object({ id: z.string().max(200), text: documentText })]))
    .min(1)
    .max(5_000),
  topicCount: z.number().int().min(1).max(200).optional(),
});
export type TopicsRequest = z.infer<typeof topicsRequestSchema>;
export const topicsResponseSchema = topicAssignmentsSchema;

export const chaptersRequestSchema = z.object({
  sentences: z.array(z.string().max(20_000)).min(1).max(10_000),
  chapterCount: z.number().int().min(1).max(1_000).optional(),
});
export type ChaptersRequest = z.infer<typeof chaptersRequestSchema>;
export const chaptersResponseSchema = z.object({
  /** Index of each chapter's first sentence, 0 first. */
  boundaries: z.array(z.number().int().nonnegative()),
  chapters: z.array(z.object({ title: z.string(), firstSentence: z.number().int(), lastSentence: z.number().int() })),
});
export type ChaptersResponse = z.infer<typeof chaptersResponseSchema>;

export const summarizeRequestSchema = z.object({
  text: z.string().trim().min(1).max(1_000_000),
  maxSentences: z.number().int().min(1).max(100).optional(),
});
export type SummarizeRequest = z.infer<typeof summarizeRequestSchema>;
export const summarizeResponseSchema = z.object({
  summary: z.string(),
  /** `index`: the place of the sentence among the text's sentences, from 0. */
  sentences: z.array(z.object({ text: z.string(), index: z.number().int().nonnegative() })),
});
export type SummarizeResponse = z.infer<typeof summarizeResponseSchema>;

/** A sentence to begin a long text's summary with; null when its beginning has none. */
export const summaryOpeningSchema = summarizeResponseSchema.shape.sentences.element.nullable();
export type SummaryOpening = z.infer<typeof summaryOpeningSchema>;

/** How the audio of a short clip was read: the WAV parser, ffmpeg on a pipe, or ffmpeg on a file. */
export const decodeMethods = ['wav', 'ffmpeg-pipe', 'ffmpeg-file'] as const;
export type DecodeMethod = (typeof decodeMethods)[number];

export const maxCandidates = 200;
export const maxCandidateCharacters = 100;

/** Texts of which one is expected in a clip. */
export const candidatesSchema = z
  .array(
    z
      .string()
      .refine((text) => text.trim() !== '', 'must not be empty')
      .refine(
        (text) => [...text].length <= maxCandidateCharacters,
        `must have at most ${maxCandidateCharacters} characters`,
      )
      .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'must not have control characters')
      .refine((text) => /[\p{L}\p{N}]/u.test(text), 'must have a letter or a digit'),
  )
  .min(1)
  .max(maxCandidates);

export const transcribeResponseSchema = z.object({
  text: z.string(),
  language: z.string().nullable(),
  languageProbability: z.number().nullable(),
  confidence: z.number(),
  words: z.array(wordSchema),
  durationSeconds: z.number(),
  /** The candidates of the request as they were given, best first; the probabilities add up to 1. */
  candidates: z.array(z.object({ text: z.string(), probability: z.number().min(0).max(1) })).optional(),
  /** The probability that any of the candidates is what is said. */
  candidatesConfidence: z.number().min(0).max(1).optional(),
  timings: z.object({
    decodeSeconds: z.number(),
    decodeMethod: z.enum(decodeMethods),
    modelLoadSeconds: z.number(),
    inferenceSeconds: z.number(),
    cold: z.boolean(),
    /** Whether the answer was kept from an earlier request; then nothing was done, and the times are 0. */
    cached: z.boolean().default(false),
  }),
});
export type TranscribeResponse = z.infer<typeof transcribeResponseSchema>;

/** What a worker answers when the segments are asked for, too. */
export const transcribeSegmentsResponseSchema = transcribeResponseSchema.extend({
  segments: z.array(segmentSchema),
  decodings: z.array(segmentDecodingSchema),
});
export type TranscribeSegmentsResponse = z.infer<typeof transcribeSegmentsResponseSchema>;
