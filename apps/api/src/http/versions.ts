import { AppError } from '@studymate/contracts/errors';
import type { Response } from 'express';

/**
 * Sends what has a version of its own, with that as its `ETag`; what of it is no part of the version may change.
 * @param isWhole of what is not, the version says nothing: it has no `ETag`
 */
export function sendVersioned<T extends { version: number }>(res: Response, body: T, isWhole = true): void {
  if (isWhole) res.setHeader('etag', toEtag(body.version));
  res.setHeader('content-type', 'application/json; charset=utf-8');
  // Not by express, which would say "not modified" of what has changed otherwise.
  res.end(JSON.stringify(body));
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1 @throws AppError `version_mismatch` */
export function checkVersion(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined) return;
  // A gateway that compresses an answer makes its tag a weak one; it names the same version.
  const wanted = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (wanted.includes('*') || wanted.includes(toEtag(version))) return;
  throw new AppError('version_mismatch', `It has version ${version} by now.`, { details: { version } });
}

export function toEtag(version: number): string {
  return `"${version}"`;
}
