import { idSchema } from '@studymate/contracts/ids';
import { recognitionSchema } from '@studymate/contracts/lecture-record';
import { type ModelFamily, modelFamilies } from '@studymate/contracts/models';
import {
  candidatesSchema,
  chaptersRequestSchema,
  summarizeRequestSchema,
  topicsRequestSchema,
} from '@studymate/contracts/requests';
import { embedRequestSchema } from '@studymate/contracts/search';
import { type StageName, stageNameSchema } from '@studymate/contracts/stages';
import { z } from 'zod';

/**
 * Every kind of job: its queue, the form of its data, how often it is tried and how long it may take. Short
 * clips and texts have queues of their own (`clips`, `quick`), so that they never stand behind lectures.
 */
export const queueNames = ['ingest', 'transcribe', 'study', 'clips', 'quick', 'callbacks', 'maintenance'] as const;
export type QueueName = (typeof queueNames)[number];

/** Which models the jobs of a queue are done with: a worker for some families alone takes no others'. Null: with none. */
export const queueFamilies = {
  // The cut follows the speech in the recording.
  ingest: 'speech',
  transcribe: 'speech',
  clips: 'speech',
  study: 'text',
  quick: 'text',
  callbacks: null,
  maintenance: null,
} as const satisfies Record<QueueName, ModelFamily | null>;
/** The queues that requests wait for. */
export const shortQueues = ['clips', 'quick'] as const satisfies readonly QueueName[];
export type ShortQueue = (typeof shortQueues)[number];

export const stageJobSchema = z.object({
  lectureId: idSchema,
  stage: stageNameSchema,
  part: z.number().int().nonnegative(),
  attempt: z.number().int().positive(),
});
export type StageJobData = z.infer<typeof stageJobSchema>;

export const quickJobSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('transcribe'),
    /** Key of the clip's bytes in the blob store. */
    clipKey: z.string(),
    /** ISO 639-1, or null to find it. */
    language: z.string().nullable(),
    recognition: recognitionSchema.optional(),
    /** Whether the answer has segments, and how the model came to them. */
    withSegments: z.literal(true).optional(),
    /** Texts of which one is expected. */
    candidates: candidatesSchema.optional(),
  }),
  z.object({ kind: z.literal('topics'), request: topicsRequestSchema }),
  z.object({ kind: z.literal('chapters'), request: chaptersRequestSchema }),
  z.object({
    kind: z.literal('summarize'),
    request: summarizeRequestSchema,
    /** Index of a sentence that has been told already: the summary begins with it. */
    opening: z.number().int().nonnegative().optional(),
  }),
  /** Asks for a sentence to begin the summary with of a text of which this is the beginning. */
  z.object({ kind: z.literal('opening'), text: z.string() }),
  z.object({ kind: z.literal('embed'), request: embedRequestSchema }),
  /** Has the topics over a course's lectures found anew and kept, unless they are of today's lectures. */
  z.object({ kind: z.literal('courseTopics'), courseId: idSchema }),
  /** Has whoever takes it load a model. */
  z.object({ kind: z.literal('warmup'), family: z.enum(modelFamilies) }),
]);
export type QuickJobData = z.infer<typeof quickJobSchema>;

/** Where a request waits: by the models that its answer is made with. */
export function toShortQueue(data: QuickJobData): ShortQueue {
  return data.kind === 'transcribe' || (data.kind === 'warmup' && data.family === 'speech') ? 'clips' : 'quick';
}

/** Tells the receiver of a lecture's callbacks of one of its ends; see `toEndMark`. */
export const callbackJobSchema = z.object({ lectureId: idSchema, mark: z.number().int().nonnegative() });
export type CallbackJobData = z.infer<typeof callbackJobSchema>;
/** With waits of 10 s that double: for almost six hours. */
export const callbackTries = 12;
const callbackBackoffMs = 10_000;
export const callbackBackoff = { type: 'exponential', delay: callbackBackoffMs, jitter: 0.2 } as const;

interface StageJobKind {
  queue: QueueName;
  /** Tries before the stage is said to have failed. */
  tries: number;
  timeoutMs: number;
}

const minutes = 60_000;
export const stageJobs: Record<StageName, StageJobKind> = {
  // A long recording stands back for the first words of others; each of its steps has a limit of its own.
  ingest: { queue: 'ingest', tries: 3, timeoutMs: 24 * 60 * minutes },
  transcribe: { queue: 'transcribe', tries: 3, timeoutMs: 20 * minutes },
  assemble: { queue: 'study', tries: 3, timeoutMs: 5 * minutes },
  chapters: { queue: 'study', tries: 3, timeoutMs: 10 * minutes },
  topics: { queue: 'study', tries: 3, timeoutMs: 10 * minutes },
  summary: { queue: 'study', tries: 3, timeoutMs: 10 * minutes },
  flashcards: { queue: 'study', tries: 3, timeoutMs: 10 * minutes },
};

/** What the data of any job may have besides: the span that added it, as a W3C `traceparent`. */
export const tracedJobSchema = z.object({ traceparent: z.string().max(100).optional().catch(undefined) });

/**
 * How many lectures one worker cuts into chunks side by side; a decoder and some 10 MB each. A new one is cut first of
 * all, and waits for another's end only while so many long ones are there.
 */
export const lecturesAtOnce = 4;
/** Sound that every lecture is cut of before any is cut further: its first words, and work for a while. */
export const firstSliceSeconds = 600;

/** Somebody waits for a lecture's first words and for its transcript: neither stands behind its owner's other jobs. */
export function comesFirst(data: StageJobData): boolean {
  return data.stage === 'assemble' || (data.stage === 'transcribe' && data.part === 0);
}

/**
 * Timings that make a killed worker's job start again within about 11 s at worst (a lock's life and one check; 60 s
 * with BullMQ's defaults). Inference runs in processes of its own, so the loop that renews the locks every 4 s is
 * free. A stall is not the job's fault, so three are allowed.
 */
export const workerTimings = { lockDuration: 8_000, stalledInterval: 3_000, maxStalledCount: 3 } as const;
