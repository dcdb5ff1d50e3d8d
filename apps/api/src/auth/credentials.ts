import type { IncomingHttpHeaders } from 'node:http';

/** The cookie that holds a page's key. */
export const sessionCookie = 'studymate_key';
/** Nothing that we take for a key or a token is longer. */
const maxCredentialLength = 8_192;

export type Credential = { key: string; from: 'header' | 'cookie' };

/**
 * The key that a request brings: `Authorization: Bearer`, else `X-API-Key`, else the session's cookie. The first one
 * that is there counts, also when it is wrong.
 * @returns null when there is none
 */
export function readCredential(headers: IncomingHttpHeaders): Credential | null {
  const { authorization, cookie } = headers;
  if (authorization !== undefined) {
    // Another scheme is no key of ours, and not "none" either.
    return { key: bounded(/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? ''), from: 'header' };
  }
  const apiKey = headers['x-api-key'];
  if (apiKey !== undefined) return { key: bounded(typeof apiKey === 'string' ? apiKey.trim() : ''), from: 'header' };
  const value = cookie === undefined ? undefined : readCookie(cookie, sessionCookie);
  return value === undefined ? null : { key: bounded(value), from: 'cookie' };
}

function bounded(key: string): string {
  return key.length > maxCredentialLength ? '' : key;
}

/** @returns the first cookie of that name in a `Cookie` header */
function readCookie(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    if (at !== -1 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
