import { z } from 'zod';

/** How loud a recording is in the course of time, for a picture of it. */
export const waveformSchema = z.object({
  durationSeconds: z.number().nonnegative(),
  /** Of equal stretches, in order: 255 is as loud as the loudest, 0 is silence. Empty where none were measured. */
  values: z.array(z.number().int().min(0).max(255)),
});
export type Waveform = z.infer<typeof waveformSchema>;
