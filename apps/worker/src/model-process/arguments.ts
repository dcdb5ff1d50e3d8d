import { modelDevices, modelFamilies, speechEngines } from '@studymate/contracts/models';
import { z } from 'zod';

/** What the worker tells a model process on its command line, as one JSON text. */
export const modelProcessOptionsSchema = z.object({
  family: z.enum(modelFamilies),
  /** Absolute folders by model name: "whisper" and "vad" for speech, "text" for text. */
  modelDirs: z.record(z.string(), z.string()),
  threads: z.number().int().positive(),
  device: z.enum(modelDevices).default('cpu'),
  /** What transcribes, in a process of the speech family. */
  engine: z.enum(speechEngines).default('onnx'),
  /** For that engine: its program and a folder for its output, absolute. */
  whisperNode: z.object({ program: z.string(), tempDir: z.string() }).optional(),
});
export type ModelProcessOptions = z.input<typeof modelProcessOptionsSchema>;

/** @throws ZodError when the text is not what the worker sends */
export function parseArguments(text: string | undefined): z.output<typeof modelProcessOptionsSchema> {
  return modelProcessOptionsSchema.parse(JSON.parse(text ?? 'null'));
}
