import { z } from 'zod';
import { idSchema } from './ids.ts';
import { stageNameSchema, studyStageNames } from './stages.ts';
import { keepingUnknown } from './stored.ts';
import { lectureWarningSchema } from './warnings.ts';

/**
 * What is kept about a lecture. Each change is a new numbered version, made by exclusive create; a version is
 * never rewritten. The record pins the artifacts that it uses, so an upgraded algorithm changes nothing that is
 * finished.
 */
export const artifactRefSchema = keepingUnknown(
  z.object({
    key: z.string(),
    schemaVersion: z.number().int(),
    /** Name and version of what made it, for example "whisper-base#1a2b3c4d/onnx@4". */
    algorithm: z.string(),
    attempt: z.number().int().positive(),
    startedAt: z.iso.datetime(),
    seconds: z.number().nonnegative(),
    cold: z.boolean().nullable(),
    /** Taken over from another lecture of the owner with the same recording, not made anew. */
    reused: z.literal(true).optional(),
    /** Hex digest of the artifact's content, where other stages' results depend on nothing else. */
    contentSha256: z.string().optional(),
  }),
);
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

export const stageFailureSchema = keepingUnknown(
  z.object({
    code: z.string(),
    message: z.string(),
    attempt: z.number().int().positive(),
    /** When its last try began, where that is known. */
    startedAt: z.iso.datetime().optional(),
    failedAt: z.iso.datetime(),
    /** The chunk of `transcribe` that gave up. */
    part: z.number().int().nonnegative().optional(),
    /** How often it had been tried. */
    tries: z.number().int().nonnegative().optional(),
  }),
);

/** What a caller may ask of the model, besides the language. */
export const recognitionSchema = keepingUnknown(
  z.object({
    /** To English, whatever is spoken. */
    translate: z.literal(true).optional(),
    /** Of the first try, 0 to 1; 0 where it is missing: always the likeliest token. */
    temperature: z.number().min(0).max(1).optional(),
    /** Course terms that are likely to be said, as they should be spelt; none where it is missing. */
    glossary: z.array(z.string()).optional(),
  }),
);
export type Recognition = z.infer<typeof recognitionSchema>;

export const lectureRecordSchema = keepingUnknown(
  z.object({
    schemaVersion: z.literal(1),
    id: idSchema,
    version: z.number().int().positive(),
    owner: z.string(),
    title: z.string(),
    courseId: z.string().nullable(),
    /** ISO 639-1 code that the user gave; null: find it. */
    requestedLanguage: z.string().nullable(),
    media: z.object({
      key: z.string(),
      fileName: z.string(),
      contentType: z.string(),
      bytes: z.number().int(),
      sha256: z.string(),
    }),
    createdAt: z.iso.datetime(),
    cancelledAt: z.iso.datetime().nullable(),
    durationSeconds: z.number().nullable(),
    detectedLanguage: z.string().nullable(),
    warnings: z.array(lectureWarningSchema),
    /** The attempt that counts, by stage; 1 where nothing stands. A retry by the user adds one. */
    attempts: z.partialRecord(stageNameSchema, z.number().int().positive()),
    artifacts: z.partialRecord(stageNameSchema, artifactRefSchema),
    /** Stages that gave up, for the attempt they gave up in. */
    failures: z.partialRecord(stageNameSchema, stageFailureSchema),
    /** Stages that have nothing to do, with the reason: nobody speaks, or nobody has asked for them. */
    skipped: z.partialRecord(stageNameSchema, z.enum(['no_speech', 'not_asked'])),
    /** The version of the text that is shown, one of the lecture's edits; the machine's where it is missing. */
    transcriptVersion: z.number().int().positive().optional(),
    /** Which version the current attempt of a study stage reads; the machine's where nothing stands. */
    studiedVersions: z.partialRecord(z.enum(studyStageNames), z.number().int().positive()).optional(),
    /** How the recording is transcribed, where that is not as usual. */
    recognition: recognitionSchema.optional(),
    /** Told of each end of the work; it may hold what nobody else may know, so no answer shows it. */
    callbackUrl: z.string().optional(),
    /** Made for a request that waits for its transcript: in nobody's list, and removed some time after this moment. */
    transientUntil: z.iso.datetime().optional(),
  }),
);
export type LectureRecord = z.infer<typeof lectureRecordSchema>;

/** The first version of a lecture, of which nothing is made yet. @param given what is known of it by then */
export function toFirstVersion(
  given: Pick<LectureRecord, 'id' | 'owner' | 'title' | 'media' | 'createdAt'> & Partial<LectureRecord>,
): LectureRecord {
  return {
    schemaVersion: 1,
    version: 1,
    courseId: null,
    requestedLanguage: null,
    cancelledAt: null,
    durationSeconds: null,
    detectedLanguage: null,
    warnings: [],
    attempts: {},
    artifacts: {},
    failures: {},
    skipped: {},
    ...given,
  };
}

/** Which parts of the current attempts lie in the store. Found by listing, so it cannot go stale. */
export interface ArtifactIndex {
  /** Numbers of the chunks whose sound has been cut and stored, ascending. */
  cutChunks: number[];
  /** Numbers of the chunks that have been transcribed, ascending. */
  transcribedChunks: number[];
}
