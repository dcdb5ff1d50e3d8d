import { AppError } from '@studymate/contracts/errors';
import type { Response } from 'express';

/**
 * Sends what has a version of its own, with that as its `ETag`; what of it is no part of the version may change.
 * @param etag null for what is not whole: of that the version says nothing
 */
export function sendVersioned<T extends { version: number }>(
  res: Response,
  body: T,
  etag: string | null = toEtag(body.version),
): void {
  if (etag !== null) res.setHeader('etag', etag);
  res.setHeader('content-type', 'application/json; charset=utf-8');
  // Not by express, which would say "not modified" of what has changed otherwise.
  res.end(JSON.stringify(body));
}

/**
 * https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 * @param etag where it tells more than the version; who names the version alone does not ask for that
 * @throws AppError `version_mismatch`
 */
export function checkVersion(ifMatch: string | undefined, version: number, etag = toEtag(version)): void {
  if (ifMatch === undefined) return;
  // A gateway that compresses an answer makes its tag a weak one; it names the same version.
  const wanted = ifMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (['*', toEtag(version), etag].some((tag) => wanted.includes(tag))) return;
  const now = etag === toEtag(version) ? `It has version ${version} by now.` : `Its ETag is ${etag} by now.`;
  throw new AppError('version_mismatch', now, { details: { version } });
}

export function toEtag(version: number): string {
  return `"${version}"`;
}
