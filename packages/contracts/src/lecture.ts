import { z } from 'zod';
import { idSchema } from './ids.ts';
import { stageViewSchema } from './stages.ts';
import { lectureWarningSchema } from './warnings.ts';

export const lectureStatusSchema = z.enum(['queued', 'running', 'ready', 'partial', 'failed', 'cancelled']);
export type LectureStatus = z.infer<typeof lectureStatusSchema>;

/** A lecture as the API shows it. */
export const lectureSchema = z.object({
  id: idSchema,
  title: z.string(),
  courseId: z.string().nullable(),
  /** The language asked for, or the one found once transcription has begun; null before. */
  language: z.string().nullable(),
  /** Course terms that were given with the recording; missing when there are none. */
  glossary: z.array(z.string()).optional(),
  durationSeconds: z.number().nullable(),
  status: lectureStatusSchema,
  stages: z.array(stageViewSchema),
  /**
   * `position` 0: being worked on; 1: the next to be begun with; n: after n - 1 others that wait. Other owners' later
   * lectures may come in between. `etaSeconds` includes loading a cold model, and is a guess from the file's size until
   * its length is known. Both are null once the lecture has ended, and while nothing is known of the workers.
   */
  queue: z.object({ position: z.number().int().nullable(), etaSeconds: z.number().nullable() }),
  /** What a user should know about the recording, for example that it was cut short. */
  warnings: z.array(lectureWarningSchema),
  createdAt: z.iso.datetime(),
  /** Of the text that is shown: 0 is the machine's, each correction makes one more. */
  transcriptVersion: z.number().int().nonnegative(),
  version: z.number().int().positive(),
});
export type Lecture = z.infer<typeof lectureSchema>;

export const createLectureFieldsSchema = z.object({
  title: z.string().trim().min(1).max(300).optional(),
  courseId: idSchema.optional(),
  language: z.string().trim().max(40).optional(),
  /** Told when the work has ended; see docs/api.md. */
  callbackUrl: z.string().trim().max(2_000).optional(),
});
export type CreateLectureFields = z.infer<typeof createLectureFieldsSchema>;

/** What an owner may change of a lecture, in any state; null takes it out of its course. */
export const changeLectureSchema = z
  .strictObject({
    title: createLectureFieldsSchema.shape.title,
    courseId: idSchema.nullable().optional(),
  })
  .refine((changes) => Object.values(changes).some((value) => value !== undefined), 'has nothing to change');
export type LectureChanges = z.infer<typeof changeLectureSchema>;

export const lecturePageSchema = z.object({ lectures: z.array(lectureSchema), nextCursor: z.string().nullable() });
export type LecturePage = z.infer<typeof lecturePageSchema>;
