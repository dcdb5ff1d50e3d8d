import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const plainId = /^[\w.:-]{1,64}$/;

/** The caller's own id of a request, if it is a plain one, else a new one. */
export function toRequestId(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && plainId.test(given) ? given : randomUUID();
}
