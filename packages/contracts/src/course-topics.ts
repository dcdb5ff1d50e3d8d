import { z } from 'zod';
import { idSchema } from './ids.ts';
import { topicSchema } from './study.ts';

const spanSchema = z.object({ start: z.number().nonnegative(), end: z.number().nonnegative() });

export const courseTopicsQuerySchema = z.object({
  /** Joined until so many are left. */
  topicCount: z.coerce.number<string>().int().min(1).max(100).optional(),
});

/** Topics over the lectures of a course, the one that is longest spoken of first. Times in seconds. */
export const courseTopicsSchema = z.object({
  topics: z.array(
    topicSchema.extend({
      /** `id` stays the topic's when lectures are added; `size` counts passages. */
      seconds: z.number().nonnegative(),
      /** Where it is spoken of, the earliest lecture first. `share`: of all that is said there. */
      lectures: z.array(
        z.object({
          lectureId: idSchema,
          seconds: z.number().nonnegative(),
          share: z.number().min(0).max(1),
          moments: z.array(spanSchema),
        }),
      ),
    }),
  ),
  /** The lectures that they are made of, the earliest first. */
  lectures: z.array(z.object({ id: idSchema, title: z.string(), createdAt: z.iso.datetime() })),
  /** How many further lectures of the course have no topics (yet): they are worked on, failed, or have no index that fits the others. */
  missing: z.number().int().nonnegative(),
});
export type CourseTopics = z.infer<typeof courseTopicsSchema>;
