import { z } from 'zod';
import { lectureSchema } from './lecture.ts';

/** What is posted to a lecture's `callbackUrl` each time that its work has ended. */
export const callbackEventSchema = z.object({
  /** The same however often it is sent. */
  id: z.string(),
  event: z.enum(['lecture.ready', 'lecture.partial', 'lecture.failed', 'lecture.cancelled']),
  lecture: lectureSchema,
});
export type CallbackEvent = z.infer<typeof callbackEventSchema>;

export const maxCallbackUrlLength = 2_000;

/** `t=<seconds since 1970>,v1=<hex>`: the HMAC-SHA256 of "<t>.<body>" under CALLBACK_SECRET. */
export const callbackSignatureHeader = 'studymate-signature';
export const callbackIdHeader = 'studymate-event-id';
