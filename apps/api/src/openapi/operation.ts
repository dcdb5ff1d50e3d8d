import type { ErrorCode } from '@studymate/contracts/errors';
import type { z } from 'zod';

/** What one method of one path takes and answers. `openapi.json` is made of these, and tests compare answers with them. */
export interface Operation {
  summary: string;
  tag:
    | 'Lectures'
    | 'Uploads'
    | 'Search and questions'
    | 'Courses'
    | 'Parts of a lecture'
    | 'Clips and texts'
    | 'OpenAI'
    | 'Models'
    | 'Session'
    | 'Service';
  /** Whether it answers everybody, also without a key. */
  isOpen?: true;
  /** Not counted against the request rate. */
  isOutsideRate?: true;
  query?: z.ZodObject;
  requestHeaders?: Readonly<Record<string, string>>;
  /** By content type. */
  body?: { required: boolean; content: Readonly<Record<string, BodySchema>> };
  /** By status; what is refused is listed in `errors`. */
  answers: Readonly<Record<number, Answer>>;
  /** Besides those that every route of its kind has; see `allErrors`. */
  errors: readonly ErrorCode[];
}

export interface Answer {
  description: string;
  /** By content type; 'events' for server-sent ones. None for an answer without a body. */
  content?: Readonly<Record<string, z.ZodType | 'text' | 'binary' | 'events'>>;
  headers?: Readonly<Record<string, string>>;
}

/** A schema that checks the body, or the fields of a form, whose file is a part of its own. */
export type BodySchema = z.ZodType | { fields: Readonly<Record<string, FormField>> };
export interface FormField {
  description: string;
  /** A JSON Schema. */
  schema: Readonly<Record<string, unknown>>;
  required?: true;
}

export type Operations = Readonly<Record<`${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`, Operation>>;

/** Headers of a part of a lecture that is saved as a file. */
export const asFile = { 'Content-Disposition': "A file name made of the lecture's title." };

/** Errors of every route that reads something of a lecture. */
export const lectureErrors = ['not_found', 'newer_version'] as const satisfies readonly ErrorCode[];
/** Of what changes a lecture or a course. */
export const changeErrors = [...lectureErrors, 'forbidden'] as const satisfies readonly ErrorCode[];
/** Of a part of a lecture, which may not be there. */
export const partErrors = [
  ...lectureErrors,
  ...['not_ready', 'stage_failed', 'stage_skipped', 'lecture_cancelled', 'artifact_lost'],
] as const satisfies readonly ErrorCode[];
/** Of a recording that is sent. */
export const fileErrors = [
  ...['file_missing', 'file_empty', 'file_too_large', 'upload_incomplete', 'request_timeout'],
  ...['unsupported_content_type', 'unknown_language', 'storage_full'],
] as const satisfies readonly ErrorCode[];
/** Of work that a worker does while the caller waits. */
export const workErrors = [
  ...['queue_full', 'queue_unavailable', 'no_worker', 'timeout', 'cancelled', 'worker_crashed'],
  ...['model_loading', 'model_missing', 'model_damaged', 'model_unreachable', 'model_too_large', 'model_crashed'],
] as const satisfies readonly ErrorCode[];
/** Of a recording that is looked at while the caller waits. */
export const clipErrors = [
  ...['not_media', 'no_audio', 'unsupported_media', 'media_too_long', 'media_damaged', 'decoder_crashed'],
] as const satisfies readonly ErrorCode[];
const jsonErrors = [
  ...['invalid_json', 'unsupported_content_type', 'body_too_large', 'upload_incomplete', 'request_timeout'],
] as const satisfies readonly ErrorCode[];

/** The errors of an operation, with those that all of its kind have. */
export function allErrors(method: string, operation: Operation): ErrorCode[] {
  const errors: ErrorCode[] = [
    'invalid_request',
    ...operation.errors,
    'internal',
    'storage_unavailable',
    'unavailable',
  ];
  if (!operation.isOpen) errors.push('unauthenticated', 'identity_unavailable');
  if (!operation.isOutsideRate) errors.push('too_many_requests');
  if (method !== 'GET') errors.push('cross_site');
  if (operation.body?.content['application/json']) errors.push(...jsonErrors);
  return [...new Set(errors)];
}
