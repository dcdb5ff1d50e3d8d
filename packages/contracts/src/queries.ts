import { z } from 'zod';
import { idSchema } from './ids.ts';
import { chapterSchema, summaryLengthSchema } from './study.ts';

/** What may stand behind the "?" of a route. Numbers come as text. */
export const listLecturesQuerySchema = z.object({
  /** Where the last page ended: its `nextCursor`. */
  cursor: idSchema.optional(),
  limit: z.coerce.number<string>().int().min(1).max(100).default(20),
  courseId: idSchema.optional(),
});
export const listCoursesQuerySchema = listLecturesQuerySchema.omit({ courseId: true });
export const exportQuerySchema = z.object({
  /** Whether the recordings are in it. */
  media: z.enum(['true', 'false']).default('false'),
});
export const transcriptQuerySchema = z.object({
  format: z.enum(['json', 'text', 'srt', 'vtt']).default('json'),
  /** What there is so far, also of a lecture that is not done. */
  partial: z.enum(['true', 'false']).default('false'),
  /** The newest unless asked; 0 is the machine's text. */
  version: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .optional(),
});
export const chaptersQuerySchema = z.object({
  format: z.enum(['json', 'youtube', 'vtt']).default('json'),
  level: chapterSchema.shape.level.optional(),
});
/** Of parts that have one format. */
export const jsonQuerySchema = z.object({ format: z.literal('json').default('json') });
export const summaryQuerySchema = jsonQuerySchema.extend({ length: summaryLengthSchema.default('medium') });
export const flashcardsQuerySchema = z.object({ format: z.enum(['json', 'anki', 'csv']).default('json') });
