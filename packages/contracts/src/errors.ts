/**
 * Every error that a caller can see: its code, HTTP status, whether trying again may help, and what it means.
 * One table serves the API (status), the queue (retry or not), and the documentation (docs/errors.md is tested
 * against it). Add a row here before you throw a new code.
 */
export const errorCatalogue = {
  invalid_request: {
    status: 400,
    retryable: false,
    meaning: 'The request is not of the form that the route expects; `details` names each field.',
  },
  invalid_json: { status: 400, retryable: false, meaning: 'The body is not JSON.' },
  unknown_language: {
    status: 400,
    retryable: false,
    meaning: 'The language is none of the codes or names that Whisper knows.',
  },
  unauthenticated: {
    status: 401,
    retryable: false,
    meaning: 'The request has no key or token, or one that is none, was revoked or has expired (AUTH=keys, AUTH=jwt).',
  },
  cross_site: {
    status: 403,
    retryable: false,
    meaning: 'A page of another site asked a browser to change something here; only our own pages may.',
  },
  forbidden: {
    status: 403,
    retryable: false,
    meaning: 'You may read this, because its course is shared with you, but only its owner may change it.',
  },
  not_found: { status: 404, retryable: false, meaning: 'There is no such thing, or it is not yours.' },
  method_not_allowed: {
    status: 405,
    retryable: false,
    meaning: 'The path exists, but not with this method; `Allow` lists those it has.',
  },
  request_timeout: {
    status: 408,
    retryable: true,
    meaning: 'The request did not come in time, or too slowly; nothing of it was kept.',
  },
  not_ready: { status: 409, retryable: true, meaning: 'This part of the lecture is not made yet; follow its events.' },
  stage_failed: {
    status: 409,
    retryable: false,
    meaning: 'The stage that makes this part failed; the lecture says why.',
  },
  stage_skipped: {
    status: 409,
    retryable: false,
    meaning: 'The stage was left out, for example because nobody speaks in the recording.',
  },
  lecture_cancelled: { status: 409, retryable: false, meaning: 'The lecture was cancelled before this part was made.' },
  limit_reached: {
    status: 409,
    retryable: false,
    meaning:
      'There are as many as there may be: an owner may have 1,000 courses, a course 1,000 members, a lecture 10,000 reviews of a person and 2 MB of corrections.',
  },
  version_mismatch: {
    status: 412,
    retryable: false,
    meaning: 'It has another version by now than `If-Match` names; read it again and decide anew.',
  },
  upload_unfinished: {
    status: 409,
    retryable: true,
    meaning: 'Not all bytes of the upload have come yet; `offset` says how many have.',
  },
  offset_mismatch: {
    status: 409,
    retryable: true,
    meaning: 'The part does not begin where the upload ends; ask for that with HEAD.',
  },
  upload_gone: {
    status: 410,
    retryable: false,
    meaning: 'The upload has expired (UPLOAD_TTL_SECONDS), or the lecture that was made of it was deleted.',
  },
  tus_version: {
    status: 412,
    retryable: false,
    meaning: 'The request is not of the version 1.0.0 of the tus protocol; `Tus-Version` names it.',
  },
  upload_locked: {
    status: 423,
    retryable: true,
    meaning: 'Another request is at work on the upload and did not give way in time.',
  },
  upload_incomplete: {
    status: 400,
    retryable: true,
    meaning: 'The connection ended before the whole file had come; nothing of it was kept.',
  },
  file_missing: { status: 400, retryable: false, meaning: 'The multipart body has no part named `file`.' },
  file_empty: { status: 400, retryable: false, meaning: 'The file has no bytes.' },
  file_too_large: {
    status: 413,
    retryable: false,
    meaning: 'The file is larger than MAX_UPLOAD_BYTES, or a clip larger than 25 MiB.',
  },
  body_too_large: { status: 413, retryable: false, meaning: 'The JSON body is larger than this route takes.' },
  unsupported_content_type: { status: 415, retryable: false, meaning: 'The route takes another content type.' },
  range_not_satisfiable: { status: 416, retryable: false, meaning: 'The range lies outside the file.' },
  headers_too_large: { status: 431, retryable: false, meaning: 'The headers of the request are too large.' },
  not_media: { status: 422, retryable: false, meaning: 'The file is not a recording that can be read.' },
  no_audio: { status: 422, retryable: false, meaning: 'The file has no sound track.' },
  unsupported_media: {
    status: 422,
    retryable: false,
    meaning: 'The file is of a kind that is not accepted, for example a playlist, or its sound has too many channels.',
  },
  media_too_long: {
    status: 422,
    retryable: false,
    meaning: 'The recording is longer than this route takes (MAX_MEDIA_SECONDS for lectures, 60 s for clips).',
  },
  unknown_course: { status: 422, retryable: false, meaning: '`courseId` names no course that you own.' },
  idempotency_mismatch: {
    status: 422,
    retryable: false,
    meaning: 'The same `Idempotency-Key` was sent with another content within the last 24 hours.',
  },
  callback_refused: {
    status: 422,
    retryable: false,
    meaning:
      'Nothing is sent to this `callbackUrl`: it is no web address, has a password, leads into a private network, or the operator has set no CALLBACK_SECRET.',
  },
  media_damaged: {
    status: 422,
    retryable: false,
    meaning: 'The recording is damaged: nothing of its sound could be decoded.',
  },
  too_many_lectures: {
    status: 429,
    retryable: true,
    meaning:
      'So many lectures are unfinished that another one is not taken (MAX_ACTIVE_LECTURES, MAX_ACTIVE_LECTURES_PER_OWNER); `etaSeconds` estimates when there will be room.',
  },
  too_many_uploads: {
    status: 429,
    retryable: true,
    meaning:
      'So many uploads of the owner are no lecture yet that another one is not begun (MAX_UNFINISHED_UPLOADS_PER_OWNER).',
  },
  queue_full: {
    status: 429,
    retryable: true,
    meaning:
      'So many short requests wait that another one is not taken (MAX_WAITING_REQUESTS, MAX_WAITING_REQUESTS_PER_OWNER); try again after Retry-After.',
  },
  too_many_requests: {
    status: 429,
    retryable: true,
    meaning:
      'Too many requests within a minute (RATE_LIMIT_PER_ADDRESS, RATE_LIMIT_PER_OWNER), too many wrong keys, too many open event streams, or too many corrections of one transcript at once; try again after Retry-After.',
  },
  cancelled: { status: 499, retryable: false, meaning: 'The caller went away or the work was cancelled.' },
  superseded: {
    status: 409,
    retryable: false,
    meaning:
      'A run of a job was refused a write: a later run has taken its place, or the lecture has ended. Logged only.',
  },
  internal: { status: 500, retryable: true, meaning: 'A fault of ours; the request id finds it in the log.' },
  artifact_lost: {
    status: 500,
    retryable: false,
    meaning:
      'Something that was made of the lecture is not in the store any more, or damaged there; the message says which stage to have done again.',
  },
  queue_unavailable: { status: 503, retryable: true, meaning: 'Redis cannot be reached; try again after Retry-After.' },
  storage_unavailable: { status: 503, retryable: true, meaning: 'The blob store cannot be read or written.' },
  newer_version: {
    status: 503,
    retryable: true,
    meaning:
      'What is stored was written by a newer StudyMate than the one that answers. Nothing is lost: another copy, or this one after its update, can read it.',
  },
  identity_unavailable: {
    status: 503,
    retryable: true,
    meaning: 'The keys by which tokens are checked (JWT_JWKS_URL) cannot be fetched at the moment.',
  },
  storage_full: { status: 507, retryable: true, meaning: 'The disk is full.' },
  model_loading: {
    status: 503,
    retryable: true,
    meaning: 'The model is still loading and the answer would come too late; try again after Retry-After.',
  },
  model_missing: {
    status: 503,
    retryable: false,
    meaning: 'The weights of the model, or the program that runs them, were not found where they are expected.',
  },
  model_damaged: {
    status: 503,
    retryable: false,
    meaning: 'A file of the weights does not have the checksum it should have.',
  },
  model_unreachable: {
    status: 503,
    retryable: true,
    meaning:
      'The weights have to be downloaded first, and the hub cannot be reached or broke off. What has come is kept, and continued.',
  },
  model_too_large: {
    status: 503,
    retryable: true,
    meaning: 'The model needs more memory than is left on the machine, or is larger than what is downloaded at most.',
  },
  model_crashed: {
    status: 503,
    retryable: true,
    meaning: 'The model process ended in the middle of the work; another try starts a new one.',
  },
  decoder_crashed: {
    status: 503,
    retryable: true,
    meaning: 'The program that decodes recordings was ended in the middle of the work; another try starts it again.',
  },
  worker_crashed: {
    status: 503,
    retryable: true,
    meaning: 'The worker ended again and again while it did this; it is not tried any more until somebody asks for it.',
  },
  no_worker: {
    status: 503,
    retryable: true,
    meaning:
      'No worker that could do this is running, and none was started within some seconds. Try again after Retry-After.',
  },
  unavailable: {
    status: 503,
    retryable: true,
    meaning:
      'No copy of the API answers at the moment, or this one is just starting or stopping, or receives as many uploads as it has memory for. Try again after Retry-After.',
  },
  timeout: { status: 504, retryable: true, meaning: 'The work took longer than it may.' },
} as const satisfies Record<string, { status: number; retryable: boolean; meaning: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface AppErrorOptions {
  cause?: unknown;
  /** Overrides what the catalogue says of the code. */
  retryable?: boolean;
  /** Extra fields for the caller, for example `{retryAfterSeconds: 5}` or the issues of a schema. */
  details?: Record<string, unknown>;
}

/** An error with a code of the catalogue. It knows nothing of HTTP: the API maps the code to a status. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? errorCatalogue[code].retryable;
    this.details = options.details;
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** Any thrown value as an AppError; what is not one already becomes `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError('internal', message, { cause: thrown });
}

/** The plain form in which an error crosses a process border (job, model process, record). */
export interface PlainError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  details?: Record<string, unknown> | undefined;
}

export function toPlainError(thrown: unknown): PlainError {
  const { code, message, retryable, details } = toAppError(thrown);
  return { code, message, retryable, details };
}

export function fromPlainError(plain: PlainError): AppError {
  const code = isErrorCode(plain.code) ? plain.code : 'internal';
  const { message, retryable, details } = plain;
  return new AppError(code, message, { retryable, ...(details && { details }) });
}
