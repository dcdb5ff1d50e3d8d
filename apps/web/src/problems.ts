import { ApiError } from '@studymate/client/api-error';

/** Whether nobody answered, or only a gateway did: then waiting may help, and what is shown may be old. */
export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'unavailable' || error.status === 502 || error.status === 504;
  return !(error instanceof DOMException && error.name === 'AbortError');
}

/** What to tell a person about something thrown. */
export function toMessage(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.code === 'queue_unavailable')
      return 'Redis cannot be reached, so nothing new is worked on at the moment.';
    if (isAway(error)) return awayMessage;
    return error.requestId !== null && error.code === 'internal'
      ? `${error.message} (request ${error.requestId})`
      : error.message;
  }
  // What fetch throws when nobody answers says no more than "Failed to fetch".
  return awayMessage;
}

const awayMessage = 'StudyMate does not answer. This page keeps trying; what it shows may be old.';
