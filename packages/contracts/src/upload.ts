import { z } from 'zod';
import { idSchema } from './ids.ts';
import { createLectureFieldsSchema } from './lecture.ts';

/** What is kept of a resumable upload. Each file is written once; what an upload has of them says how far it is. */
export const uploadInfoSchema = z.object({
  schemaVersion: z.literal(1),
  id: idSchema,
  owner: z.string(),
  /** Of the whole recording, as it was announced. */
  bytes: z.number().int().nonnegative(),
  /** As the client gave it (Upload-Metadata), decoded; null for a key without a value. */
  metadata: z.record(z.string(), z.string().nullable()),
  createdAt: z.iso.datetime(),
});
export type UploadInfo = z.infer<typeof uploadInfoSchema>;

/** Written when the last byte is on the disk. */
export const finishedUploadSchema = z.object({ schemaVersion: z.literal(1), sha256: z.string() });

/** Written before an upload becomes a lecture: whoever does it a second time makes, or finds, the same one. */
export const uploadLectureSchema = z.object({ schemaVersion: z.literal(1), lectureId: idSchema });

/** The body of POST /api/v1/lectures where the recording has come as an upload. */
export const lectureFromUploadSchema = createLectureFieldsSchema.extend({
  uploadId: idSchema,
  /** Terms, or a text with one a line. */
  glossary: z.union([z.array(z.string()), z.string()]).optional(),
});
export type LectureFromUpload = z.infer<typeof lectureFromUploadSchema>;
