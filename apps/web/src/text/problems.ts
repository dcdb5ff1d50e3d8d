import { ApiError } from '@studymate/client/api-error';
import type { Messages } from './en.ts';

/** Whether nobody answered, or only a gateway did: then waiting may help, and what is shown may be old. */
export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'unavailable' || error.status === 502 || error.status === 504;
  return !(error instanceof DOMException && error.name === 'AbortError');
}

/** What to tell a person about something thrown. */
export function toMessage(error: unknown, { shell }: Messages): string {
  if (error instanceof ApiError) {
    if (error.code === 'queue_unavailable') return shell.queueAway;
    if (isAway(error)) return shell.away;
    return error.requestId !== null && error.code === 'internal'
      ? shell.request(error.message, error.requestId)
      : error.message;
  }
  // What fetch throws when nobody answers says no more than "Failed to fetch".
  return shell.away;
}
