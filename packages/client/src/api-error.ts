import type { ErrorCode } from '@studymate/contracts/errors';

/** What the API answered instead of a result; `code` is one of the catalogue's. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  /** Finds the request in the API's log. */
  readonly requestId: string | null;
  /** Seconds after which another try may help, or null. */
  readonly retryAfterSeconds: number | null;
  /** All fields of the error, also those that only this code has. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, requestId: string | null, retryAfterSeconds: number | null, body: unknown) {
    const details = toDetails(body);
    super(typeof details.message === 'string' ? details.message : `The API answered with status ${status}.`);
    // A proxy in between answers in its own way, without a code.
    this.code = typeof details.code === 'string' ? (details.code as ErrorCode) : 'internal';
    this.status = status;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
    this.details = details;
  }
}

function toDetails(body: unknown): Record<string, unknown> {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return typeof error === 'object' && error !== null ? { ...error } : {};
}

/** @returns the error that an answer stands for; reads its body */
export async function toApiError(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(
    response.status,
    response.headers.get('x-request-id'),
    Number.isFinite(retryAfter) ? retryAfter : null,
    body,
  );
}
