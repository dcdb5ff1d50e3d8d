import { z } from 'zod';

/** What a user should know about a recording, for example that it was cut short. */
export const lectureWarningSchema = z.object({
  code: z.string(),
  message: z.string(),
  /** How long the file says it is, and how much of it could be read. */
  declaredSeconds: z.number().nonnegative().optional(),
  decodedSeconds: z.number().nonnegative().optional(),
  /** About how much inside the recording could not be read. */
  damagedSeconds: z.number().nonnegative().optional(),
});
export type LectureWarning = z.infer<typeof lectureWarningSchema>;
