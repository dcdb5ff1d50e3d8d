import { ApiError } from '@studymate/client/api-error';
import type { Messages } from './en.ts';

/** What the API says of an error or of a recording; a warning may have seconds. */
export interface Said {
  code: string;
  /** In English. */
  message: string;
  declaredSeconds?: number | undefined;
  decodedSeconds?: number | undefined;
}

/** Texts by code, in place of the API's own messages. */
export type Reasons = Readonly<Partial<Record<string, string | ((said: Said) => string)>>>;

/** A file of the page itself cannot be had: nobody answers, or a newer page has taken the place of this one. */
export class MissingPartError extends Error {}

/** Whether nobody answered, or only a gateway did: then waiting may help, and what is shown may be old. */
export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'unavailable' || error.status === 502 || error.status === 504;
  return !(error instanceof DOMException && error.name === 'AbortError');
}

/** What to tell a person about something thrown. */
export function toMessage(error: unknown, m: Messages): string {
  const { shell } = m;
  if (error instanceof ApiError) {
    if (error.code === 'queue_unavailable') return shell.queueAway;
    if (isAway(error)) return shell.away;
    const reason = toReason(error, m.problems);
    return error.requestId !== null && error.code === 'internal' ? shell.request(reason, error.requestId) : reason;
  }
  if (error instanceof MissingPartError) return shell.partMissing;
  // What fetch throws when nobody answers says no more than "Failed to fetch".
  return shell.away;
}

/**
 * What the API says, in the language of a catalogue; in its own words where the code has no text.
 * @param texts `problems` or `warnings` of the catalogue
 */
export function toReason(said: Said, texts: Reasons): string {
  const text = Object.hasOwn(texts, said.code) ? texts[said.code] : undefined;
  return typeof text === 'function' ? text(said) : (text ?? said.message);
}
