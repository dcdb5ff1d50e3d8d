import { z } from 'zod';
import { idSchema } from './ids.ts';
import { chapterSchema, lectureTopicSchema, storedFlashcardSchema, summarySchema, topicSchema } from './study.ts';
import { segmentSchema, transcriptSchema } from './transcript.ts';
import { lectureWarningSchema } from './warnings.ts';

/** What lies in the store as the result of each stage. All times are seconds from the start of the recording. */
export const windowSchema = z.object({
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  /** Where the window's samples begin in the chunk's sound, and how many they are (16 kHz mono). */
  sampleOffset: z.number().int().nonnegative(),
  sampleCount: z.number().int().positive(),
});
export type Window = z.infer<typeof windowSchema>;

/** One or more windows, one transcription job. Its sound lies beside it as signed 16-bit samples. */
export const chunkSchema = z.object({
  schemaVersion: z.literal(1),
  index: z.number().int().nonnegative(),
  windows: z.array(windowSchema).min(1),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** The result of ingest: written once the whole recording has been cut. */
export const ingestManifestSchema = z.object({
  schemaVersion: z.literal(1),
  durationSeconds: z.number().nonnegative(),
  speechSeconds: z.number().nonnegative(),
  chunkCount: z.number().int().nonnegative(),
  warnings: z.array(lectureWarningSchema),
  /** A byte for each of at most 1,800 equal stretches (waveform.ts), in base64; older ones have none. */
  loudness: z.base64().optional(),
});
export type IngestManifest = z.infer<typeof ingestManifestSchema>;

/** How the model came to a segment: of the window in which it begins, its tokens excepted. */
export const segmentDecodingSchema = z.object({
  /** Seconds from the start of the recording. */
  windowStart: z.number().nonnegative(),
  /** Of the segment's own words, in the vocabulary of the model. */
  tokens: z.array(z.number().int().nonnegative()),
  temperature: z.number(),
  averageLogProbability: z.number(),
  compressionRatio: z.number(),
  noSpeechProbability: z.number(),
});
export type SegmentDecoding = z.infer<typeof segmentDecodingSchema>;

export const transcribedChunkSchema = z.object({
  schemaVersion: z.literal(1),
  index: z.number().int().nonnegative(),
  language: z.string().nullable(),
  languageProbability: z.number().nullable(),
  /** Ids count from 0 within the chunk; assembly renumbers them. */
  segments: z.array(segmentSchema),
  /** One for each segment; older chunks have none. */
  decodings: z.array(segmentDecodingSchema).optional(),
  /** Seconds of sound that the model saw, and seconds it took. */
  audioSeconds: z.number(),
  inferenceSeconds: z.number(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Whether the model had to be loaded for it. */
  cold: z.boolean(),
  /** What transcribed it, for example "whisper-base#1a2b3c4d/onnx@4". */
  algorithm: z.string(),
  /** Taken over from another lecture of the owner with the same recording: the times say when. */
  reused: z.literal(true).optional(),
});
export type TranscribedChunk = z.infer<typeof transcribedChunkSchema>;

const versioned = <T extends z.ZodType>(content: T) => z.object({ schemaVersion: z.literal(1), content });
export const transcriptArtifactSchema = versioned(transcriptSchema);
export const chaptersArtifactSchema = versioned(z.array(chapterSchema));
export const topicsArtifactSchema = versioned(z.array(lectureTopicSchema));
export const summaryArtifactSchema = versioned(summarySchema);
export const flashcardsArtifactSchema = versioned(z.array(storedFlashcardSchema));

/** A few sentences that follow each other: what search finds and shows. Never over a chapter's start. */
export const passageSchema = z.object({
  start: z.number().nonnegative(),
  end: z.number().nonnegative(),
  text: z.string(),
  /** Place of its first sentence among the lecture's sentences, and how many it has. */
  firstSentence: z.number().int().nonnegative(),
  sentenceCount: z.number().int().positive(),
});
/** Made together with the chapters; the search index beside it counts them by their places. */
export const passagesArtifactSchema = versioned(
  z.object({
    /** By which the embeddings of the sentences are known. */
    inputHash: z.string(),
    passages: z.array(passageSchema),
  }),
);

/** What is kept of a course's topics. Each time they are made anew is a new version. */
export const courseTopicsArtifactSchema = z.object({
  schemaVersion: z.literal(1),
  /** Of the lectures and algorithms that they were made of: with another one they are out of date. */
  inputHash: z.string(),
  /** Whose embeddings the centres are of: others cannot be compared. */
  weights: z.string(),
  /** How many passages there were when topics were last looked for; those that came since were assigned to them. */
  fittedPassages: z.number().int().nonnegative(),
  /** No topic has ever had this id or one above. */
  nextId: z.number().int().nonnegative(),
  topics: z.array(
    topicSchema.omit({ size: true }).extend({
      /** The mean of its passages' vectors. */
      centre: z.array(z.number()),
      /** Cosine with the centre below which a passage is of no topic that there is. */
      leastCosine: z.number(),
    }),
  ),
  lectures: z.array(
    z.object({
      lectureId: idSchema,
      /** Which of its indexes was read. */
      source: z.string(),
      /** In order, each with the id of its topic. */
      passages: z.array(
        z.object({
          start: z.number().nonnegative(),
          end: z.number().nonnegative(),
          topic: z.number().int().nonnegative().nullable(),
        }),
      ),
    }),
  ),
});
export type KeptCourseTopics = z.infer<typeof courseTopicsArtifactSchema>;
