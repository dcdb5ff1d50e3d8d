import { z } from 'zod';
import { idSchema } from './ids.ts';
import { keepingUnknown } from './stored.ts';

/** Somebody who may own lectures, as a key or token names them. */
export const ownerNameSchema = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !/[\p{Cc}\p{Cs}]/u.test(name), 'must not have control characters');

/** What is kept about a course. Each change is a new numbered version; its members are kept one by one beside it. */
export const courseRecordSchema = keepingUnknown(
  z.object({
    schemaVersion: z.literal(1),
    id: idSchema,
    version: z.number().int().positive(),
    owner: z.string(),
    title: z.string(),
    createdAt: z.iso.datetime(),
  }),
);
export type CourseRecord = z.infer<typeof courseRecordSchema>;

/** A course as the API shows it. */
export const courseSchema = z.object({
  id: idSchema,
  title: z.string(),
  owner: z.string(),
  /** What the caller is in it: the owner changes it and its lectures, members read them. */
  role: z.enum(['owner', 'member']),
  /** In order; shown to its owner alone, and not in lists. */
  members: z.array(z.string()).optional(),
  createdAt: z.iso.datetime(),
  version: z.number().int().positive(),
});
export type Course = z.infer<typeof courseSchema>;

export const courseFieldsSchema = z.strictObject({ title: z.string().trim().min(1).max(300) });
export type CourseFields = z.infer<typeof courseFieldsSchema>;

export const coursePageSchema = z.object({ courses: z.array(courseSchema), nextCursor: z.string().nullable() });
export type CoursePage = z.infer<typeof coursePageSchema>;

export const maxCoursesOfOwner = 1_000;
export const maxMembersOfCourse = 1_000;
