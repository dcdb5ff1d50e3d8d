import { z } from 'zod';
import { type ErrorCode, errorCatalogue } from './errors.ts';
import { modelStatusSchema } from './models.ts';

/** Answers of the API that no other file has. */
const errorCodes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];

/** Every refusal. Some codes bring more fields, for example `retryAfterSeconds` or `limit`. */
export const errorAnswerSchema = z.object({
  error: z.looseObject({
    code: z.enum(errorCodes),
    message: z.string(),
    /** Also in the header `x-request-id`, and in the log. */
    requestId: z.string(),
    /** The fields of the request that are wrong. */
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});
export type ErrorAnswer = z.infer<typeof errorAnswerSchema>;

export const modelStatusesSchema = z.object({ models: z.array(modelStatusSchema) });

export const healthSchema = z.object({ status: z.literal('ok'), timestamp: z.iso.datetime() });
const partSchema = z.object({ ready: z.boolean(), reason: z.string().optional() });
export const readinessSchema = z.object({
  status: z.enum(['ready', 'not_ready']),
  parts: z.object({ redis: partSchema, storage: partSchema }),
});
