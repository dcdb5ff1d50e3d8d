import { z } from 'zod';
import { lectureSchema } from './lecture.ts';
import { stageViewSchema } from './stages.ts';
import { segmentSchema } from './transcript.ts';

/**
 * What a lecture's event stream sends; `type` is the SSE event's name and the rest its data.
 * `segments`: new text, `from` is the id of its first segment. `end`: nothing more will come.
 */
export const lectureEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), lecture: lectureSchema }),
  z.object({ type: z.literal('stage'), stage: stageViewSchema }),
  z.object({ type: z.literal('segments'), from: z.number().int().nonnegative(), segments: z.array(segmentSchema) }),
  z.object({ type: z.literal('lecture'), changes: lectureSchema.partial() }),
  z.object({ type: z.literal('end'), status: lectureSchema.shape.status }),
]);
export type LectureEvent = z.infer<typeof lectureEventSchema>;
