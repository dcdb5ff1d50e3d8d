import { z } from 'zod';
import { segmentSchema } from './transcript.ts';
import { maxSegmentCharacters } from './transcript-limits.ts';

export const maxSegmentsOfEdit = 5_000;
/** Of all corrections of one version, as they are kept; those of an hour that was corrected throughout have 150 kB. */
export const maxEditBytes = 2_000_000;
/** So many versions can be listed and restored, besides the machine's text. */
export const maxTranscriptVersions = 100;

/** 0 is the machine's text; each save makes one more. Numbers can be left out. */
export const transcriptVersionSchema = z.number().int().nonnegative();

const segmentTextSchema = z
  .string()
  .max(maxSegmentCharacters)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text.replace(/\s/gu, '')), 'must not have control characters');

/** Body of `PATCH /api/v1/lectures/:id/transcript`. */
export const editTranscriptSchema = z.strictObject({
  segments: z
    .array(
      z.strictObject({
        id: segmentSchema.shape.id,
        /** What is said there; '' when nothing is; null: as the machine has heard it. */
        text: segmentTextSchema.nullable(),
        /** Where the segment is that the caller means, in seconds: refused when that number is another one's by now. */
        start: segmentSchema.shape.start.optional(),
        end: segmentSchema.shape.end.optional(),
      }),
    )
    .min(1)
    .max(maxSegmentsOfEdit)
    .refine((segments) => new Set(segments.map(({ id }) => id)).size === segments.length, 'names a segment twice'),
});
export type EditTranscript = z.infer<typeof editTranscriptSchema>;

/** Body of `POST /api/v1/lectures/:id/transcript/restore`. */
export const restoreTranscriptSchema = z.strictObject({ version: transcriptVersionSchema });

/** What came of an edit: the version as it is now, and its segments that were asked for or have changed. */
export const editedTranscriptSchema = z.object({ version: transcriptVersionSchema, segments: z.array(segmentSchema) });
export type EditedTranscript = z.infer<typeof editedTranscriptSchema>;

export const transcriptVersionInfoSchema = z.object({
  version: transcriptVersionSchema,
  createdAt: z.iso.datetime(),
  /** How many segments differ from the machine's text: of the newest version today, of earlier ones when they were saved. */
  changedSegments: z.number().int().nonnegative(),
  /** The version whose text it took up again. */
  restoredFrom: transcriptVersionSchema.optional(),
});
export type TranscriptVersionInfo = z.infer<typeof transcriptVersionInfoSchema>;

/** Newest first; the last is the machine's, 0. */
export const transcriptVersionsSchema = z.object({ versions: z.array(transcriptVersionInfoSchema) });
export type TranscriptVersions = z.infer<typeof transcriptVersionsSchema>;

/** What a person says instead of the machine, of one segment. */
export const segmentChangeSchema = z.object({
  id: segmentSchema.shape.id,
  /** Where the segment begins and what the machine said there: on any other text the change has no effect. */
  start: z.number().nonnegative(),
  from: z.string(),
  text: z.string(),
});
export type SegmentChange = z.infer<typeof segmentChangeSchema>;

/** Corrections without effect: the machine says nothing of what they were made of since it has heard the recording anew. */
export const unplacedCorrectionsSchema = z.object({
  /** The version of the text that has them. */
  version: transcriptVersionSchema,
  /** In order of time: where it was, what the machine had said there, and what a person says instead. */
  corrections: z.array(segmentChangeSchema.omit({ id: true })),
});
export type UnplacedCorrections = z.infer<typeof unplacedCorrectionsSchema>;

/** One version of the text as it is kept, beside the machine's, which it does not touch. */
export const transcriptEditSchema = z.object({
  schemaVersion: z.literal(1),
  /** All that differs from the machine's text, in order of time. */
  changes: z.array(segmentChangeSchema),
  /** This version and those before it that can be restored, newest first. */
  versions: z.array(transcriptVersionInfoSchema).min(1),
});
export type TranscriptEdit = z.infer<typeof transcriptEditSchema>;
