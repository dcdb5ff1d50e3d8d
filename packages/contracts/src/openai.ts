import { z } from 'zod';

/** Answers of the routes under /v1, which are OpenAI's. */
export const audioUsageSchema = z.object({ type: z.literal('duration'), seconds: z.number().int().nonnegative() });

/** `response_format=json` */
export const audioTextSchema = z.object({ text: z.string(), usage: audioUsageSchema });

/** `response_format=verbose_json`; times in seconds. */
export const audioVerboseSchema = z.object({
  task: z.enum(['transcribe', 'translate']),
  /** The English name, such as "english". */
  language: z.string(),
  duration: z.number().nonnegative(),
  text: z.string(),
  words: z.array(z.object({ word: z.string(), start: z.number(), end: z.number() })).optional(),
  segments: z
    .array(
      z.object({
        id: z.number().int().nonnegative(),
        /** In hundredths of a second: where the model's window begins. */
        seek: z.number().int().nonnegative(),
        start: z.number(),
        end: z.number(),
        text: z.string(),
        tokens: z.array(z.number().int()),
        temperature: z.number(),
        avg_logprob: z.number(),
        compression_ratio: z.number(),
        no_speech_prob: z.number(),
      }),
    )
    .optional(),
  usage: audioUsageSchema,
});

export const audioModelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number().int(),
  owned_by: z.string(),
});
export const audioModelListSchema = z.object({ object: z.literal('list'), data: z.array(audioModelSchema) });

/** A refusal as OpenAI's SDKs read it. `code` is one of docs/errors.md, `invalid_api_key` or `model_not_found`. */
export const openaiErrorSchema = z.object({
  error: z.looseObject({
    message: z.string(),
    type: z.enum(['invalid_request_error', 'rate_limit_error', 'server_error']),
    param: z.string().nullable(),
    code: z.string(),
    requestId: z.string(),
  }),
});
