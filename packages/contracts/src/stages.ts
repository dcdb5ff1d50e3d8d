import { z } from 'zod';

/** The steps of a lecture in the order in which they are shown. Each ends in one artifact. */
export const stageNames = ['ingest', 'transcribe', 'assemble', 'chapters', 'topics', 'summary', 'flashcards'] as const;
export const stageNameSchema = z.enum(stageNames);
export type StageName = z.infer<typeof stageNameSchema>;

/** The stages that lead to the transcript, one after the other: when one has failed, the others are of no use. */
export const pathStageNames = ['ingest', 'transcribe', 'assemble'] as const satisfies readonly StageName[];

/** The stages that read the assembled transcript. They do not depend on each other. */
export const studyStageNames = ['chapters', 'topics', 'summary', 'flashcards'] as const satisfies readonly StageName[];
export type StudyStageName = (typeof studyStageNames)[number];

/** What can be asked for again: a stage, or all study stages at once. */
export const retryableSchema = z.enum([...stageNames, 'study']);
export type Retryable = z.infer<typeof retryableSchema>;

export const stageStatusSchema = z.enum(['waiting', 'queued', 'running', 'done', 'failed', 'skipped', 'cancelled']);
export type StageStatus = z.infer<typeof stageStatusSchema>;

/** What the API shows of a stage. `cold`: its model had to be loaded first (null while unknown or without a model). */
export const stageViewSchema = z.object({
  name: stageNameSchema,
  status: stageStatusSchema,
  progress: z.number().min(0).max(1),
  startedAt: z.iso.datetime().nullable(),
  seconds: z.number().nonnegative().nullable(),
  cold: z.boolean().nullable(),
  /** The result was taken over from an earlier lecture with the same recording; `seconds` is what that took. */
  reused: z.literal(true).optional(),
  /** Of a study stage that is done: the version of the transcript that it was made of. */
  transcriptVersion: z.number().int().nonnegative().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type StageView = z.infer<typeof stageViewSchema>;
