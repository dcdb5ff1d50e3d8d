import { modelFamilies } from '@studymate/contracts/models';
import { z } from 'zod';

/** What the worker tells a model process on its command line, as one JSON text. */
export const modelProcessOptionsSchema = z.object({
  family: z.enum(modelFamilies),
  /** Absolute folders by model name: "whisper" and "vad" for speech, "text" for text. */
  modelDirs: z.record(z.string(), z.string()),
  threads: z.number().int().positive(),
});
export type ModelProcessOptions = z.infer<typeof modelProcessOptionsSchema>;

/** @throws ZodError when the text is not what the worker sends */
export function parseArguments(text: string | undefined): ModelProcessOptions {
  return modelProcessOptionsSchema.parse(JSON.parse(text ?? 'null'));
}
